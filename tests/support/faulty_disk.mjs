// Disks that hang, fail or are full, under a whole server.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, realpathSync, renameSync, rmSync, statSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { need } from './need.mjs';
import { temporaryFolder } from './server.mjs';

const built = fileURLToPath(new URL('../../build/release/tests/libsegue_faulty_disk.so', import.meta.url));

/// A data folder whose chunk store lies on the disk of `faulty_disk.cpp`; the catalogue is left alone.
export class FaultyDisk {
  #control = join(temporaryFolder(), 'control');
  #data = realpathSync(temporaryFolder());

  /// The options of a server on this disk.
  get under() {
    const library = resolve(process.env.SEGUE_FAULTY_DISK ?? built);
    if (!existsSync(library))
      throw new Error(`${library} is missing: build the target segue_faulty_disk, or point SEGUE_FAULTY_DISK at the library`);
    const env = { FAULTY_DISK_FOLDER: join(this.#data, 'chunks'), FAULTY_DISK_CONTROL: this.#control };
    return { data: this.#data, env, through: ['env', `LD_PRELOAD=${library}`] }; // for the server alone
  }

  /// `how` is what happens to every sync from now on: `fail`, `hang`, or `tear N PERCENT`, see `faulty_disk.cpp`.
  fallIll(how) {
    writeFileSync(`${this.#control}.new`, how);
    renameSync(`${this.#control}.new`, this.#control);
  }

  heal() {
    rmSync(this.#control, { force: true });
  }
}

/// A file system of its own, in a file, small enough to be filled up. Needs the rights of root.
export class SmallDisk {
  #folder = temporaryFolder();
  #at = join(this.#folder, 'disk');
  #filler = join(this.#at, 'filler');
  data = join(this.#at, 'data');

  constructor(bytes) {
    const image = join(this.#folder, 'image');
    writeFileSync(image, '');
    truncateSync(image, bytes); // sparse: takes only what is written
    mkdirSync(this.#at);
    execFileSync(need('mkfs.ext4'), ['-q', '-m', '0', image]);
    try {
      execFileSync(need('mount'), ['-o', 'loop', image, this.#at], { stdio: 'pipe' });
    } catch (error) {
      throw new Error(`a file system cannot be mounted: ${error.stderr}; this test needs the rights of root and loop devices`);
    }
    process.prependOnceListener('exit', () => this.remove()); // before its folder is removed
  }

  get free() {
    const { bavail, bsize } = statfsSync(this.#at);
    return bavail * bsize;
  }

  /// Takes all space but so many bytes, in smaller and smaller pieces, for others write at the same time.
  fillUpTo(left) {
    let [begin, size] = [existsSync(this.#filler) ? statSync(this.#filler).size : 0, this.free - left];
    for (; size >= 4096; size = Math.min(this.free - left, Math.floor(size / 2))) {
      const taken = spawnSync(need('fallocate'), ['-o', String(begin), '-l', String(size), this.#filler]);
      if (taken.status === 0) begin += size;
    }
  }

  empty() {
    rmSync(this.#filler);
  }

  remove() {
    if (this.data) execFileSync(need('umount'), ['--lazy', this.#at], { stdio: 'ignore' });
    this.data = undefined;
  }
}
