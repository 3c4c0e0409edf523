// The page in a real browser: a prompt goes in, music comes out while it is still being made.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, describe, it } from 'node:test';
import { generate, makePiece, show, unknownId, until } from '../support/api.mjs';
import { useBrowser } from '../support/browser.mjs';
import { ask, get, sha256, waitFor } from '../support/http.mjs';
import { useServer } from '../support/server.mjs';

describe('the page', { timeout: 120_000 }, () => {
  const server = useServer({ stable: true });
  const browser = useBrowser();
  let context;
  let page;
  let errors;

  afterEach(async (test) => {
    if (!test.passed)
      console.log(`in "${test.name}" the browser said: ${JSON.stringify(errors)}\n${await page?.content().catch(() => '')}`);
    await context?.close();
    context = page = undefined;
  });

  /// Opens the page; pieces asked for there get `fields` on top, so that a test decides how long they take.
  async function openPage(fields = {}, { path = '/', viewport } = {}) {
    context = await browser.newContext({ viewport });
    page = await context.newPage();
    errors = [];
    await page.route('**/v1/generations', (route) =>
      route.request().method() === 'POST'
        ? route.continue({ postData: JSON.stringify({ ...route.request().postDataJSON(), ...fields }) })
        : route.continue(),
    );
    await load(page, path);
  }

  /// Another tab of the same browser.
  async function openTab(path) {
    const tab = await context.newPage();
    await load(tab, path);
    return tab;
  }

  async function load(tab, path) {
    tab.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    tab.on('pageerror', (error) => errors.push(String(error)));
    tab.on('dialog', (dialog) => dialog.accept());
    await tab.goto(`${server.url}${path}`);
    await tab.waitForFunction(() => typeof window.segue?.peak === 'function');
  }

  async function play(prompt) {
    const earlier = await page.evaluate(() => window.segue.currentId ?? null);
    await page.fill('#prompt', prompt);
    await page.click('#play');
    return waitFor(() => page.evaluate((id) => (window.segue.currentId !== id ? window.segue.currentId : undefined), earlier), {
      what: 'the id of the piece',
    });
  }

  const sound = (tab = page) =>
    waitFor(() => tab.evaluate(() => window.segue.peak() > 0.01), { deadline: 15_000, every: 50, what: 'sound at the analyser' });
  const time = (tab = page) => tab.evaluate(() => window.segue.audio.currentTime);
  const past = (second, tab = page) => waitFor(async () => (await time(tab)) > second, { what: `second ${second}` });
  const item = (id, state) => page.locator(`#pieces li[data-id="${id}"]${state ? `[data-state="${state}"]` : ''}`);

  it('plays a piece while it is still being made, shows how far it is, and lists it', async () => {
    await openPage({ pace: 'realtime', duration_s: 15 });
    const asked = Date.now();
    const id = await play('slow jazz trio in D minor');
    await sound();
    const heardAfter = Date.now() - asked;
    const piece = await show(server, id);
    assert.equal(piece.state, 'running', 'it was heard before it was done');
    assert.equal(piece.prompt, 'slow jazz trio in D minor');
    assert(heardAfter < 5_000, `heard after ${heardAfter} ms`);
    assert.equal(await page.evaluate(() => window.segue.audio.paused), false);
    await page.locator('#progress').waitFor({ state: 'visible' });
    await item(id, 'running').waitFor();
    assert.notEqual((await page.locator('#status').textContent()).trim(), '');
    await item(id, 'completed').waitFor({ timeout: 30_000 });
    const played = await page.evaluate(() => window.segue.audio.currentTime);
    assert(played > 8, `it went on playing: ${played} s`);
    assert.equal((await show(server, id)).audio_bytes, (await get(server, piece.urls.download)).body.length);
    assert.deepEqual(errors, []);
  });

  it('still lists and plays a piece after the server came back', async () => {
    const { request_id: id } = await makePiece(server, { prompt: 'upbeat synth wave, 120 bpm', duration_s: 20 });
    await server.restart();
    await openPage();
    await item(id, 'completed').locator('[data-action=play]').click();
    await sound();
    assert.deepEqual(errors, []);
  });

  it('cancels, downloads and deletes', async () => {
    await openPage({ pace: 'realtime', duration_s: 60 });
    const id = await play('a march that never ends');
    await sound();
    await item(id, 'running').locator('[data-action=cancel]').click();
    await item(id, 'cancelled').waitFor();
    await until(server, id, ({ state }) => state === 'cancelled'); // the page hears it from the events, which come first
    const downloading = page.waitForEvent('download');
    await item(id).locator('[data-action=download]').click();
    const download = await downloading;
    assert.equal(download.suggestedFilename(), 'a-march-that-never-ends.mp3');
    assert.equal(sha256(readFileSync(await download.path())), sha256((await get(server, `/v1/generations/${id}/download`)).body));
    const remove = item(id).locator('[data-action=delete]');
    await remove.click();
    await remove.click(); // the second click says that it was meant
    await item(id).waitFor({ state: 'detached' });
    assert.equal((await get(server, `/v1/generations/${id}`)).status, 404);
    assert.deepEqual(errors, []);
  });

  it('shows prompts as text, whatever is in them, and refusals in words', async () => {
    const prompt = '<img src=x onerror="window.intruder = true"> & "quotes"';
    const { request_id: id } = await makePiece(server, { prompt, duration_s: 5 });
    await openPage({ duration_s: 9999 });
    await item(id, 'completed').waitFor();
    assert((await item(id).textContent()).includes(prompt));
    assert.equal(await page.evaluate(() => window.intruder), undefined);
    assert.deepEqual(errors, []);
    await page.fill('#prompt', 'a waltz');
    await page.click('#play');
    await page.waitForFunction(() => /600/.test(document.querySelector('#problem').textContent));
  });

  it('draws what an analyser hears, and rests when the sound does', async () => {
    await openPage({ duration_s: 20 });
    await play('brisk harpsichord in G major');
    await sound();
    const picture = () => page.evaluate(() => document.querySelector('#staff canvas').toDataURL());
    const loudness = () => page.evaluate(() => {
      const bins = new Uint8Array(window.segue.analyser.frequencyBinCount);
      window.segue.analyser.getByteFrequencyData(bins);
      return bins.reduce((sum, bin) => sum + bin, 0);
    });
    const first = await picture();
    assert((await loudness()) > 0, 'a spectrum');
    await waitFor(async () => (await picture()) !== first, { what: 'the staff to move' });
    await page.click('#toggle');
    await waitFor(() => page.evaluate(() => window.segue.peak() === 0), { what: 'silence' });
    assert.deepEqual(errors, []);
  });

  it('seeks back, and forth again, while the piece is still being made', async () => {
    await openPage({ pace: 'realtime', duration_s: 20 });
    const id = await play('desert blues, two guitars');
    await past(2);
    const staff = await page.locator('#staff').boundingBox();
    await page.mouse.click(staff.x + staff.width * 0.15, staff.y + staff.height / 2);
    assert((await time()) < 1.5, 'a click on the left of the staff goes back to its second');
    await sound();
    await past(1.5);
    await page.keyboard.press('End');
    assert((await time()) > 3, 'the end is what is made by now');
    assert.equal((await show(server, id)).state, 'running');
    assert.deepEqual(errors, []);
  });

  it('plays on to the end, without a jump or a reload, when the server is killed in the middle', async () => {
    await openPage({ pace: 'realtime', duration_s: 7 });
    const id = await play('solemn church organ');
    await past(0.3);
    await page.evaluate(() => {
      window.jumps = [];
      window.segue.audio.addEventListener('seeking', () => window.jumps.push(window.segue.audio.currentTime));
    });
    await server.kill();
    await server.start();
    await page.waitForFunction(() => window.segue.audio.ended, null, { timeout: 20_000 });
    const piece = await show(server, id);
    assert(piece.attempt > 1, 'it was killed while the piece was made');
    assert.deepEqual(await page.evaluate(() => window.jumps), []);
    assert(Math.abs((await time()) - piece.audio_ms / 1000) < 0.1, `all of it was played: ${await time()} s of ${piece.audio_ms} ms`);
    await item(id, 'completed').waitFor();
    assert.deepEqual(errors.filter((error) => !error.startsWith('Failed to load resource')), []);
  });

  it('keeps two tabs that are live in step, and lets one that came late hear the beginning', async () => {
    await openPage({ pace: 'realtime', duration_s: 20 });
    const id = await play('neon synthwave at midnight');
    await past(1);
    assert.equal(new URL(page.url()).hash, `#${id}`, 'the address is a link to the piece');
    const late = await openTab(`/#${id}`);
    await late.locator('#title', { hasText: 'neon synthwave at midnight' }).waitFor();
    assert.equal(await late.evaluate(() => window.segue.audio.paused), true, 'a link does not make noise by itself');
    await late.locator('#live').click();
    await page.locator('#live').click();
    await sound(late);
    const begun = (tab) => tab.evaluate(() => performance.timeOrigin + performance.now() - window.segue.audio.currentTime * 1000);
    const apart = async () => Math.abs((await begun(page)) - (await begun(late)));
    await waitFor(async () => (await apart()) < 250, { deadline: 5_000, what: 'the tabs to be in step' });
    for (let i = 0; i < 10; i++) {
      await late.waitForTimeout(100);
      const ms = await apart();
      assert(ms < 250, `still in step: ${ms} ms apart`);
    }
    const missing = await late.evaluate(() => window.segue.audio.buffered.start(0));
    assert(missing > 0.5, 'it read no more than it needed');
    await late.locator('#staff').press('Home');
    const beginning = () => late.evaluate(() => window.segue.audio.buffered.length && window.segue.audio.buffered.start(0) === 0);
    await waitFor(async () => (await time(late)) < missing && beginning(), { what: 'the beginning' });
    await sound(late);
    assert.deepEqual(errors, []);
    const gone = await openTab(`/#${unknownId}`);
    await gone.locator('#status', { hasText: 'not here any more' }).waitFor();
  });

  it('obeys the keyboard, except where something is written', async () => {
    const { request_id: id } = await makePiece(server, { prompt: 'a waltz for one finger', duration_s: 20 });
    await openPage({}, { path: `/#${id}` });
    await page.locator('#keys', { hasText: 'Space' }).waitFor();
    await page.locator('#toggle:focus').waitFor(); // a link leaves the focus where Space plays
    await page.keyboard.press('Space');
    await sound();
    await page.keyboard.press('ArrowRight');
    await past(5);
    await page.keyboard.press('ArrowRight');
    await past(10);
    await page.keyboard.press('ArrowLeft');
    assert((await time()) < 9);
    await page.evaluate(() => document.activeElement.blur());
    await page.keyboard.press('Space');
    await page.waitForFunction(() => window.segue.audio.paused);
    const rest = await time();
    await page.focus('#prompt');
    await page.keyboard.type('a b');
    await page.keyboard.press('ArrowLeft');
    assert.equal(await page.inputValue('#prompt'), 'a b');
    assert(Math.abs((await time()) - rest) < 1, 'no key has moved the sound'); // which may settle a little after its pause
    assert.equal(await page.evaluate(() => window.segue.audio.paused), true);
    const nameless = await page.evaluate(() =>
      [...document.querySelectorAll('button, a, input, select, textarea, [role=slider]')]
        .filter((node) => node.checkVisibility() && !(node.ariaLabel || node.labels?.length || node.textContent.trim()))
        .map((node) => node.outerHTML),
    );
    assert.deepEqual(nameless, [], 'everything that can be used has a name');
    assert.deepEqual(errors, []);
  });

  it('fits a screen 360 pixels wide', async () => {
    const { request_id: id } = await generate(server, { prompt: `${'Donau'.repeat(40)} waltz`, pace: 'realtime', duration_s: 10 });
    await openPage({}, { path: `/#${id}`, viewport: { width: 360, height: 740 } });
    await page.locator('#live').click();
    await sound();
    await page.locator('summary').click();
    const wide = await page.evaluate(() => {
      const inside = (node) => node.closest('#examples') || node.getBoundingClientRect().right <= document.documentElement.clientWidth;
      const all = [...document.querySelectorAll('body *')].filter((node) => node.checkVisibility() && !inside(node));
      return [document.documentElement.scrollWidth, ...all.map((node) => node.outerHTML)];
    });
    assert.deepEqual(wide, [360]);
    assert.deepEqual(errors, []);
  });

  it('tells where in line a piece is, if the server does', async () => {
    const wishes = Array.from({ length: 6 }, () => ({ prompt: 'a queue of penguins', pace: 'realtime', duration_s: 60 }));
    const pieces = await Promise.all(wishes.map((wish) => generate(server, wish)));
    await openPage();
    const queued = await waitFor(async () => {
      const rows = await Promise.all(pieces.map(({ request_id: id }) => show(server, id)));
      const settled = rows.every(({ audio_bytes: made, state }) => made > 0 || state === 'queued');
      return settled && rows.find(({ state }) => state === 'queued');
    });
    const place = item(queued.request_id, 'queued').locator('.about');
    await place.filter({ hasText: queued.place ? /in line/ : /Waiting its turn/ }).waitFor();
    const words = await page.evaluate(async () => {
      const { place } = await import('/web/wording.js');
      return [1, 2, 3, 4, 11, 22, undefined].map((n) => place({ place: n }));
    });
    assert.deepEqual(words.map((text) => text.replace(' in line', '')), ['Next', '2nd', '3rd', '4th', '11th', '22nd', 'Waiting its turn']);
    assert.deepEqual(errors, []);
    await Promise.all(pieces.map(({ request_id: id }) => ask(server, 'DELETE', `/v1/generations/${id}`)));
  });
});
