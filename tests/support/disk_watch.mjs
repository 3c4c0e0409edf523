// The disk under everything: now and then it lets a sync wait for a second, and everybody with it. Whoever says that an answer
// was slow says how long the disk was.
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from './server.mjs';

const usual = 100; // ms

export class DiskWatch {
  #file = join(temporaryFolder(), 'watched');
  #looks = []; // {at, end}: those that took longer than is usual; the last may be under way

  /// Syncs once more. The file grows, so that the journal of the file system is waited for as well.
  async look() {
    const look = { at: performance.now() };
    this.#looks.push(look);
    await appendFile(this.#file, '.', { flush: true });
    look.end = performance.now();
    if (look.end - look.at <= usual) this.#looks.pop();
  }

  /// For how many ms, all in all, it let us wait since then.
  stalledSince(then) {
    const lasted = this.#looks.map(({ at, end = performance.now() }) => (end < then || end - at <= usual ? 0 : end - at));
    return lasted.reduce((sum, ms) => sum + ms, 0);
  }
}
