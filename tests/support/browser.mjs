// Chromium without a window, for a whole suite.
import { after, before } from 'node:test';
import { need } from './need.mjs';

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

/// For the top of a suite: a browser that runs for all its tests. `newContext` is Playwright's.
export function useBrowser() {
  let browser;
  before(async () => {
    browser = await chromium.launch({ executablePath: need('chromium'), args: flags });
  });
  after(() => browser?.close());
  return { newContext: (options) => browser.newContext(options) };
}
