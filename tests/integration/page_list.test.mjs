// The list of the page in a real browser, while pieces come and go elsewhere.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { makePiece } from '../support/api.mjs';
import { useBrowser } from '../support/browser.mjs';
import { ask, waitFor } from '../support/http.mjs';
import { useServer } from '../support/server.mjs';

describe('the list of the page', { timeout: 120_000 }, () => {
  const server = useServer();
  const browser = useBrowser();
  let page;

  beforeEach(async () => {
    page = await (await browser.newContext()).newPage();
  });
  afterEach(() => page.context().close());

  const row = (id) => page.locator(`#pieces li[data-id="${id}"]`);
  const rows = () => page.locator('#pieces li').count();
  const focused = () => page.evaluate(() => document.activeElement.id);
  const more = () => page.locator('#more').press('Enter');
  const grownTo = (count) => waitFor(async () => (await rows()) >= count, { what: `${count} rows` });
  const purge = (id) => ask(server, 'DELETE', `/v1/generations/${id}?purge=true`);

  /// Pieces without sound, oldest first.
  async function make(count) {
    const ids = [];
    for (let i = 0; i < count; ++i) {
      const made = await ask(server, 'POST', '/v1/generations', { body: { prompt: `piece ${i}`, generator: 'push' } });
      ids.push(made.json.request_id);
    }
    return ids;
  }

  /// Of 45 pieces.
  async function showForty() {
    const ids = await make(45);
    await page.goto(server.url);
    await grownTo(20);
    await more();
    await grownTo(40);
    return ids;
  }

  it('leaves the focus at the words when its only piece is deleted by keyboard', async () => {
    const { request_id: id } = await makePiece(server, { duration_s: 5 });
    await page.goto(server.url);
    for (let i = 0; i < 2; ++i) await row(id).locator('[data-action=delete]').press('Enter');
    await row(id).waitFor({ state: 'detached' });
    assert.equal(await focused(), 'prompt');
  });

  it('leaves the focus at the words when the piece on the stage is deleted elsewhere', async () => {
    const { request_id: id } = await makePiece(server, { duration_s: 5 });
    await page.goto(`${server.url}/#${id}`);
    await page.locator('#toggle:focus').waitFor();
    assert.equal((await purge(id)).status, 204);
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange'))); // it looks again
    await page.locator('#toggle').waitFor({ state: 'hidden' });
    assert.equal(await focused(), 'prompt');
  });

  it('goes on behind a piece that was deleted elsewhere', async () => {
    const ids = await showForty();
    assert.equal((await purge(ids[5])).status, 204); // the last row
    await more();
    await row(ids[0]).waitFor();
    assert.equal(await rows(), 44);
    for (const id of ids) await purge(id);
  });

  it('shows what was made while nobody looked, however much', async () => {
    const old = await showForty();
    await page.route('**/v1/generations?*', (route) => route.abort());
    const fresh = await make(30);
    await page.unroute('**/v1/generations?*');
    await row(fresh.at(-1)).waitFor();
    const pressed = async () => {
      if (await page.locator('#more:visible:not([aria-disabled])').count()) await more();
      return (await rows()) === 75;
    };
    await waitFor(pressed, { every: 100, deadline: 20_000, what: 'all 75 rows' });
    for (const id of [...old, ...fresh]) await purge(id);
  });
});
