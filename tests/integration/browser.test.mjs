// The page in a real browser: a prompt goes in, music comes out while it is still being made.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, afterEach, before, describe, it } from 'node:test';
import { makePiece, show } from '../support/api.mjs';
import { get, sha256, waitFor } from '../support/http.mjs';
import { need } from '../support/need.mjs';
import { useServer } from '../support/server.mjs';

const { chromium } = await import('playwright-core').catch(() => {
  throw new Error('playwright-core is missing: get it with `npm ci` in tests/');
});

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
  '--mute-audio',
];

describe('the page', { timeout: 120_000 }, () => {
  const server = useServer({ stable: true });
  let browser;
  let page;
  let errors;

  before(async () => {
    browser = await chromium.launch({ executablePath: need('chromium'), args: flags });
  });
  after(() => browser?.close());
  afterEach(async (test) => {
    if (!test.passed)
      console.log(`in "${test.name}" the browser said: ${JSON.stringify(errors)}\n${await page?.content().catch(() => '')}`);
    await page?.close();
    page = undefined;
  });

  /// Opens the page; pieces asked for there get `fields` on top, so that a test decides how long they take.
  async function openPage(fields = {}) {
    page = await browser.newPage();
    errors = [];
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('dialog', (dialog) => dialog.accept());
    await page.route('**/v1/generations', (route) =>
      route.request().method() === 'POST'
        ? route.continue({ postData: JSON.stringify({ ...route.request().postDataJSON(), ...fields }) })
        : route.continue(),
    );
    await page.goto(`${server.url}/`);
    await page.waitForFunction(() => typeof window.segue?.peak === 'function');
  }

  async function play(prompt) {
    const earlier = await page.evaluate(() => window.segue.currentId ?? null);
    await page.fill('#prompt', prompt);
    await page.click('#play');
    return waitFor(() => page.evaluate((id) => (window.segue.currentId !== id ? window.segue.currentId : undefined), earlier), {
      what: 'the id of the piece',
    });
  }

  const sound = () =>
    waitFor(() => page.evaluate(() => window.segue.peak() > 0.01), { deadline: 15_000, every: 50, what: 'sound at the analyser' });
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
    assert.equal((await show(server, id)).state, 'cancelled');
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
});
