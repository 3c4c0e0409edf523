// What the stores have in common: a server in a folder of its own that starts, dies, comes back and leaves nothing behind.
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as moment } from 'node:timers/promises';
import { endNow, isSilent, launch, processesIn, signalAll, stablePort } from './program.mjs';

// A failing test must not leave servers behind. Before all other listeners: those remove the folders.
const ours = new Set();
process.prependListener('exit', () => ours.forEach((store) => endNow(store.folder)));

/// A derived class gives `name`, `create()` for what is done once, `server()` for the program and its arguments,
/// and `ready()`, which is given what the server has written since its launch.
export class Store {
  host = '127.0.0.1';
  orderly = 'SIGTERM'; ///< the signal upon which the program ends by itself, soon

  /// `port` and whatever else a derived class keeps are given when the folder already holds a store. With `outlive` the store
  /// runs on when this process ends.
  constructor(folder, { port, outlive = false } = {}) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.folder = realpathSync(folder);
    this.port = port;
    this.outlive = outlive;
    if (!outlive) ours.add(this);
  }

  /// Where the server itself works: all processes there are its own.
  get workplace() {
    return this.folder;
  }

  /// Of the server's first process; undefined when none runs.
  get pid() {
    const all = processesIn(this.workplace);
    return all.find(({ parent }) => !all.some(({ pid }) => pid === parent))?.pid;
  }

  /// What the server has written since its first start.
  log() {
    return readFileSync(join(this.workplace, 'log'), { encoding: 'utf8', flag: 'a+' });
  }

  /// Makes the store in its empty folder and starts it.
  async begin() {
    try {
      await this.create();
      this.port ??= await stablePort(); // as late as can be: somebody else may take it
      return await this.start();
    } catch (error) {
      endNow(this.folder);
      ours.delete(this);
      throw error;
    }
  }

  /// Launches the server on what the folder holds and resolves once it answers.
  async start() {
    if (!this.outlive) ours.add(this);
    await this.#until(() => isSilent(this.host, this.port), `port ${this.port} to be free`);
    const before = this.log().length;
    const { program, args, user } = this.server();
    const child = launch(program, args, { folder: this.workplace, log: join(this.workplace, 'log'), user, outlive: this.outlive });
    let ended = false;
    for (const end of ['exit', 'error']) child.once(end, () => (ended = true));
    await this.#until(async () => {
      if (ended) throw new Error(`${this.name} ended before it was ready:\n${this.log().slice(before)}`);
      return this.ready(this.log().slice(before));
    }, 'it to be ready');
    return this;
  }

  /// Signals the server and waits until it is gone, except after SIGSTOP and SIGCONT. These and SIGKILL go to all processes,
  /// other signals to the first, which tells its children.
  async kill(signal = 'SIGKILL') {
    const all = processesIn(this.workplace);
    const first = this.pid;
    signalAll(['SIGKILL', 'SIGSTOP', 'SIGCONT'].includes(signal) ? all : all.filter(({ pid }) => pid === first), signal);
    if (signal !== 'SIGSTOP') signalAll(all, 'SIGCONT'); // one that is stopped hears nothing
    if (['SIGSTOP', 'SIGCONT'].includes(signal)) return;
    await this.#until(() => {
      const left = processesIn(this.workplace);
      if (signal === 'SIGKILL') signalAll(left, signal); // a child that was forked meanwhile
      return !left.length && isSilent(this.host, this.port);
    }, `it to end after ${signal}`);
  }

  /// Ends the store, in order if it can.
  async stop() {
    await this.kill(this.orderly).catch(() => endNow(this.folder));
    ours.delete(this);
  }

  /// Starts the server again on the same port and data, after an orderly end if it still runs.
  async restart() {
    if (this.pid) await this.kill(this.orderly);
    return this.start();
  }

  async #until(condition, what, deadline = 20_000) {
    const end = Date.now() + deadline;
    while (!(await condition())) {
      if (Date.now() > end) throw new Error(`${this.name}: waited ${deadline} ms in vain for ${what}; its log:\n${this.log()}`);
      await moment(5);
    }
  }
}

/// A secret that needs no quoting anywhere.
export function secret() {
  return randomBytes(16).toString('hex');
}

/// Names of tenants become names of databases, users and buckets, and none of them may need quoting.
export function checkTenant(name) {
  if (!/^[a-z][a-z0-9]{2,30}$/.test(name))
    throw new Error(`"${name}" cannot name a tenant: 3 to 31 lower-case letters and digits are allowed, a letter first`);
}
