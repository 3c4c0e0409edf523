// The page in a real browser behind a slow line: what is wanted is fetched, and nobody waits for what lies before it.
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { bytesPerSecond, generate, makePiece, until } from '../support/api.mjs';
import { useBrowser } from '../support/browser.mjs';
import { waitFor } from '../support/http.mjs';
import { useServer } from '../support/server.mjs';

describe('the page behind a slow line', { timeout: 120_000 }, () => {
  const server = useServer();
  const browser = useBrowser();
  let page;

  afterEach(() => page?.context().close());

  /// Opens the link of a piece and lets it begin, over a line of so many seconds of sound a second.
  async function listen(id, speed) {
    page = await (await browser.newContext()).newPage();
    await page.goto(`${server.url}/#${id}`);
    await page.locator('#toggle:focus').waitFor();
    const tab = await page.context().newCDPSession(page);
    await tab.send('Network.emulateNetworkConditions', { offline: false, latency: 0, uploadThroughput: -1, downloadThroughput: speed * bytesPerSecond });
    await page.locator('#toggle').click();
    await heardBehind(0.5);
  }

  /// The second that sounds, when it is behind `least`.
  function heardBehind(least) {
    const second = () => {
      const { audio, peak } = window.segue;
      return peak() > 0.01 && !audio.seeking ? audio.currentTime : 0;
    };
    return waitFor(async () => [await page.evaluate(second)].find((x) => x > least), { what: `sound behind second ${least}` });
  }

  it('plays a place that is not there yet as soon as it is asked for', async () => {
    const { request_id: id } = await makePiece(server, { duration_s: 120 });
    await listen(id, 3);
    const { width, height } = await page.locator('#staff').boundingBox();
    await page.locator('#staff').click({ position: { x: width * 0.8, y: height / 2 } });
    const from = await heardBehind(80);
    await heardBehind(from + 1);
    assert(from < 110, `from second ${from} on`);
  });

  it('joins who listens live, far ahead of what has come', async () => {
    const { request_id: id } = await generate(server, { duration_s: 60, pace: 'realtime' });
    await until(server, id, ({ audio_ms: made }) => made > 14_000);
    await listen(id, 2);
    await page.keyboard.press('l');
    const from = await heardBehind(12);
    await heardBehind(from + 1);
  });
});
