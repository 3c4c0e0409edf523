// The page in a real browser when something is in its way: a key that is asked for, a server that refuses, a piece without sound.
import assert from 'node:assert/strict';
import { afterEach, before, beforeEach, describe, it } from 'node:test';
import { endOf, failed, generate, hasSound, makePiece, until } from '../support/api.mjs';
import { useBrowser } from '../support/browser.mjs';
import { ask, waitFor } from '../support/http.mjs';
import { by, sendTone, startModel } from '../support/model.mjs';
import { run } from '../support/need.mjs';
import { useServer } from '../support/server.mjs';

const browser = useBrowser();
let page;

beforeEach(async () => {
  page = await (await browser.newContext()).newPage();
});
afterEach(async (test) => {
  if (!test.passed) console.log(`in "${test.name}" the page was\n${await page.content().catch(() => '')}`);
  await page.context().close();
});

const loaded = () => page.waitForFunction(() => typeof window.segue?.peak === 'function');
const row = (id) => page.locator(`#pieces li[data-id="${id}"]`);

describe('the page of a server that asks for a key', { timeout: 120_000 }, () => {
  const server = useServer({ args: ['--auth'] });
  let key;

  before(async () => {
    const { code, stdout, stderr } = await run('segue', ['keys', 'add', '--data', server.data, '--user', 'ann', '--role', 'writer']);
    assert.equal(code, 0, stderr);
    key = stdout.trim();
  });

  /// Answers what is asked with `texts`, one after the other, then with nothing; returns the questions, which grow.
  function answer(...texts) {
    const questions = [];
    page.on('dialog', (dialog) => {
      questions.push(dialog.message());
      return texts.length ? dialog.accept(texts.shift()) : dialog.dismiss();
    });
    return questions;
  }

  const listed = () => page.locator('#pieces:not([aria-busy])').waitFor({ state: 'attached' });

  it('asks again for what cannot be a key', async () => {
    const questions = answer(`“${key}”`, 'two words', `  ${key}\n`);
    await page.goto(server.url);
    await listed();
    assert.match(questions[0], /asks for an API key/);
    questions.slice(1).forEach((question) => assert.match(question, /cannot be a key/));
    assert.equal(questions.length, 3);
    assert.equal(await page.evaluate(() => sessionStorage.getItem('segue-key')), key);
  });

  it('forgets one that cannot be a key', async () => {
    await page.addInitScript(() => sessionStorage.setItem('segue-key', 'kėy'));
    const questions = answer(key);
    await page.goto(server.url);
    await listed();
    assert.deepEqual(questions, ['This server asks for an API key.']);
  });

  it('opens a link once somebody gives one, who did not at first', async () => {
    const body = { prompt: 'a waltz behind a door', generator: 'push' };
    const made = await ask(server, 'POST', '/v1/generations', { body, headers: { authorization: `Bearer ${key}` } });
    await page.goto(server.url); // the first question is not answered
    await page.locator('#problem', { hasText: 'asks for an API key' }).waitFor();
    const questions = answer(key);
    await page.evaluate((id) => (location.hash = id), made.json.request_id);
    await page.locator('#title', { hasText: 'a waltz behind a door' }).waitFor();
    await row(made.json.request_id).waitFor();
    assert.equal(questions.length, 1);
  });

  describe('that is looked for so long that every request which has begun runs out of time', () => {
    // No time passes here: the question itself is what takes so long.
    beforeEach(async () => {
      await page.addInitScript((key) => {
        const limits = [];
        AbortSignal.timeout = () => {
          limits.push(new AbortController());
          return limits.at(-1).signal;
        };
        window.keyIsKnown = false;
        window.prompt = () => {
          for (const limit of limits) limit.abort(new DOMException('too late', 'TimeoutError'));
          return window.keyIsKnown ? key : null;
        };
      }, key);
      await page.goto(server.url);
      await loaded();
      await page.fill('#prompt', 'a patient waltz');
      await page.click('#play');
      await page.locator('#problem:not(:empty)').waitFor(); // nobody knew it
      await page.evaluate(() => (window.keyIsKnown = true));
    });

    async function heard() {
      await waitFor(() => page.evaluate(() => window.segue.currentId), { what: 'the piece' });
      assert.equal(await page.locator('#problem').textContent(), '');
    }

    it('still does what was asked for', async () => {
      await page.click('#play');
      await heard();
    });

    it('still does what was asked for beside it', async () => {
      let held = 0;
      await page.route('**/v1/generations', (route) => (held++ ? route.continue() : undefined)); // the first has no answer
      await page.click('#play');
      await waitFor(() => held, { what: 'the wish' });
      await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange'))); // the list is read, and the key asked for
      await heard();
    });
  });
});

describe('the page of a server that does not do what it should', { timeout: 240_000 }, () => {
  const server = useServer();
  const status = (text) => page.locator('#status', { hasText: text }).waitFor();

  const refusal = (status, detail) => ({
    status,
    contentType: 'application/problem+json',
    body: JSON.stringify({ type: '/problems/test', title: 'No', code: 'test', status, detail }),
  });

  /// What happens to requests of `url`: `way.now` is a refusal, 'cut', or nothing.
  async function trouble(url, now) {
    const way = { now, count: 0 };
    await page.route(url, (route) => {
      way.count += 1;
      if (way.now === 'cut') return route.abort();
      return way.now ? route.fulfill(way.now) : route.continue();
    });
    return way;
  }

  it('opens the link once the server can, and says meanwhile what is wrong', async () => {
    const { request_id: id } = await makePiece(server, { prompt: 'a waltz behind a link', duration_s: 5 });
    const way = await trouble(`**/v1/generations/${id}`, 'cut');
    await page.goto(`${server.url}/#${id}`);
    await status('The server is not answering');
    way.now = refusal(503, 'The catalogue is away.');
    await status('The catalogue is away.');
    await page.locator('#prompt').fill('written meanwhile');
    way.now = undefined;
    await page.locator('#title', { hasText: 'a waltz behind a link' }).waitFor();
    await status('Press play to hear it');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'prompt', 'who writes goes on writing');
  });

  it('leaves a link alone when something else was played meanwhile', async () => {
    const { request_id: linked } = await makePiece(server, { prompt: 'a linked waltz', duration_s: 5 });
    const { request_id: other } = await makePiece(server, { prompt: 'another waltz', duration_s: 5 });
    const way = await trouble(`**/v1/generations/${linked}`, refusal(503, 'The catalogue is away.'));
    await page.goto(`${server.url}/#${linked}`);
    await status('The catalogue is away.');
    await row(other).locator('[data-action=play]').click();
    way.now = undefined;
    await page.waitForFunction(() => window.segue.audio.ended, null, { timeout: 60_000 });
    assert.equal(await page.evaluate(() => window.segue.currentId), other);
  });

  it('says of a link what the server says, and does not insist', async () => {
    const { request_id: id } = await makePiece(server, { duration_s: 5 });
    const way = await trouble(`**/v1/generations/${id}`, refusal(403, 'Your role is too small.'));
    await page.goto(`${server.url}/#${id}`, { waitUntil: 'commit' });
    await status('Your role is too small.');
    await status('Nothing playing yet');
    assert.equal(way.count, 1);
  });

  it('says why the sound is not given, and plays it when it is', async () => {
    const { request_id: id } = await makePiece(server, { duration_s: 5 });
    const way = await trouble(`**/v1/generations/${id}/audio?*`, refusal(403, 'Your role is too small.'));
    await page.goto(server.url);
    await row(id).locator('[data-action=play]').click();
    await status('Your role is too small.');
    assert.equal(await page.evaluate(() => window.segue.audio.paused), true);
    assert.equal(way.count, 1, 'it does not insist');
    way.now = refusal(503, 'The store is away.');
    await page.locator('#toggle').click();
    await status('The store is away.');
    assert.equal(await page.evaluate(() => window.segue.audio.paused), false, 'it waits');
    way.now = undefined;
    await page.waitForFunction(() => window.segue.audio.currentTime > 0.5);
    assert.notEqual(await page.locator('#status').textContent(), 'The store is away.');
  });

  it('reads the list again soon when the server could not', async () => {
    const { request_id: id } = await makePiece(server, { duration_s: 5 });
    const way = await trouble('**/v1/generations?*', refusal(503, 'The catalogue is away.'));
    await page.goto(server.url);
    await waitFor(() => way.count > 1, { what: 'a second look' });
    way.now = undefined;
    await row(id).waitFor();
  });
});

describe('the page of a server whose model may refuse', { timeout: 120_000 }, async () => {
  const word = 'x'.repeat(200);
  const model = await startModel((wish, response) =>
    wish.promptText.startsWith('refuse') ? response.writeHead(422).end(word) : sendTone(wish, response),
  );
  const server = useServer(by(model));

  async function makeSilent() {
    const { request_id: id } = await generate(server, { prompt: 'refuse this' });
    return endOf(server, id, failed);
  }

  const action = (id, name) => row(id).locator(`[data-action=${name}]`);
  const focused = () =>
    page.evaluate(() => [document.activeElement.closest('li')?.dataset.id, document.activeElement.dataset.action]);

  it('keeps the focus where it was when a piece is deleted by keyboard', async () => {
    const { request_id: silent } = await makeSilent();
    const { request_id: id } = await makePiece(server, { duration_s: 5 });
    await page.goto(server.url);
    await action(id, 'delete').press('Enter');
    await action(id, 'delete').press('Enter');
    await row(id).waitFor({ state: 'detached' });
    assert.deepEqual(await focused(), [silent, 'delete'], 'at the first button of the neighbour that can be used');
  });

  it('keeps the focus in its row when a piece is stopped by keyboard', async () => {
    const { request_id: id } = await generate(server, { pace: 'realtime', duration_s: 60 });
    await until(server, id, hasSound);
    await page.goto(server.url);
    await action(id, 'cancel').press('Enter');
    await page.locator(`#pieces li[data-id="${id}"][data-state=cancelled]`).waitFor();
    assert.deepEqual(await focused(), [id, 'play']);
  });

  it('asks once, however often it is pressed', async () => {
    const { request_id: id } = await makePiece(server, { duration_s: 5 });
    let asked = 0;
    await page.route(`**/v1/generations/${id}?purge=true`, () => { asked += 1; }); // and never answered
    await page.goto(server.url);
    for (let i = 0; i < 4; i++) await action(id, 'delete').press('Enter');
    await waitFor(() => asked, { what: 'the request' });
    assert.equal(asked, 1);
    assert.deepEqual(await focused(), [id, 'delete']);
  });

  it('keeps the focus when older pieces are shown by keyboard', async () => {
    const { request_id: older } = await makePiece(server, { duration_s: 5 });
    await makePiece(server, { duration_s: 5 });
    await page.route('**/v1/generations?*', (route) => {
      const url = new URL(route.request().url());
      url.searchParams.set('limit', url.searchParams.has('after') ? 100 : 1);
      return route.continue({ url: url.href });
    });
    await page.goto(server.url);
    await page.locator('#more').press('Enter');
    await row(older).waitFor();
    // Another look at the list may have brought the button back.
    const at = await page.evaluate(() => document.activeElement.id || document.activeElement.closest('li')?.dataset.id);
    assert(['more', older].includes(at), `at ${at}`);
  });

  it('does not try to play a piece that ended before any sound', async () => {
    const { request_id: id } = await makeSilent();
    await page.goto(`${server.url}/#${id}`);
    await page.locator('#toggle[aria-disabled=true]:focus').waitFor();
    await page.keyboard.press('Space');
    await page.locator('#staff').press('Space');
    await page.locator('#staff').press('ArrowRight');
    await page.locator('#staff').click({ force: true });
    assert.deepEqual(await page.evaluate(() => [window.segue.audio.paused, window.segue.audio.currentSrc]), [true, '']);
    assert.match(await page.locator('#status').textContent(), /^Failed/);
    assert.equal(await page.locator('#progress').textContent(), '0:00');
    assert.match(await page.locator('#staff').getAttribute('aria-valuetext'), /^0:00 of 0:00,/);
    assert.equal(await page.locator('#toggle').getAttribute('aria-label'), 'Play');
  });

  it('keeps what was heard at its second when a piece ends early', async () => {
    await page.goto(server.url);
    await page.evaluate(async () => {
      const { Staff } = await import('/web/staff.js');
      const canvas = document.body.appendChild(document.createElement('canvas'));
      Object.assign(canvas.style, { position: 'fixed', inset: '0', width: '800px', height: '256px' });
      const analyser = {
        frequencyBinCount: 2048,
        fftSize: 4096,
        context: { sampleRate: 48_000 },
        getByteFrequencyData: (bins) => bins.fill(200),
      };
      const staff = new Staff(canvas);
      let heard = 0;
      window.heard = () => heard; // a step with every frame that is drawn
      const view = { id: 'a', analyser, live: () => null };
      staff.show({ ...view, made: 1.5, total: 15, done: false, now: () => (heard += 0.015), moving: () => heard < 1.5 });
      window.endEarly = () => staff.show({ ...view, made: 1.5, total: 1.5, done: true, now: () => 1.5, moving: () => false });
      // How much is coloured just above the middle string, where its glow does not reach, in the middle of what was heard.
      window.inked = () => {
        const { data } = canvas.getContext('2d').getImageData(canvas.width * 0.4, canvas.height / 2 - 8, canvas.width * 0.2, 1);
        const alphas = data.filter((_, i) => i % 4 === 3);
        return alphas.filter((alpha) => alpha > 0).length / alphas.length;
      };
    });
    await page.waitForFunction(() => window.heard() >= 1.5);
    await page.evaluate(() => window.endEarly());
    await page.waitForFunction(() => window.inked() > 0.3, null, { timeout: 10_000 });
  });

  it('breaks words that are wider than a small screen', async () => {
    const { request_id: id } = await makeSilent();
    await page.setViewportSize({ width: 360, height: 740 });
    await page.route('**/v1/generations/*/events?*', (route) =>
      route.fulfill({ json: [{ type: 'started', at: new Date().toISOString(), attempt: 1, resumed_at_ms: 0, plan: { key: word, mood: word } }] }),
    );
    await page.route('**/v1/generations', (route) =>
      route.fulfill({ status: 400, contentType: 'application/problem+json', body: JSON.stringify({ detail: word }) }),
    );
    await page.goto(`${server.url}/#${id}`);
    for (const text of ['#status', '#plan', `li[data-id="${id}"] .about`]) await page.locator(text, { hasText: 'xxx' }).waitFor();
    await page.fill('#prompt', 'a waltz');
    await page.click('#play');
    await page.locator('#problem', { hasText: word }).waitFor();
    const wide = await page.evaluate(() =>
      ['#status', '#mark', '#problem', '.about'].filter((text) => {
        const node = document.querySelector(text);
        return node.scrollWidth > node.clientWidth || node.getBoundingClientRect().right > innerWidth;
      }),
    );
    assert.deepEqual(wide, []);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
  });

  it('lets a long wish be scrolled with the wheel', async () => {
    await page.goto(server.url);
    await page.fill('#prompt', 'a waltz that goes on and on, '.repeat(60));
    await page.hover('#prompt');
    const top = () => page.evaluate(() => document.querySelector('#prompt').scrollTop);
    await page.evaluate(() => (document.querySelector('#prompt').scrollTop = 0));
    const turn = () => page.mouse.wheel(0, 20).then(top);
    await waitFor(async () => (await turn()) > 0, { every: 200, what: 'the wish to scroll' });
    assert.equal(await page.evaluate(() => scrollY), 0);
  });
});
