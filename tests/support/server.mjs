// One real `segue serve` process on its own data folder, and the hooks that tie it to a test suite.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before } from 'node:test';
import { stablePort } from '../../tools/stores/program.mjs';
import { waitFor } from './http.mjs';
import { run, start } from './need.mjs';
export { stablePort };

const folders = [];
const patient = { recursive: true, force: true, maxRetries: 10, retryDelay: 10 }; // whoever writes there is just being killed
process.on('exit', () => folders.forEach((folder) => rmSync(folder, patient)));

/// A fresh folder, removed when the test process ends.
export function temporaryFolder() {
  folders.push(mkdtempSync(join(tmpdir(), 'segue-test-')));
  return folders.at(-1);
}

export class Server {
  /// True from the line "Segue is listening on" until the process is told to go.
  ready = false;
  #process;
  #log = [];

  /// `args` are added to `segue serve`; `port` 0 lets the system choose, later starts keep what it chose; `env` and
  /// `through` are those of `start`.
  constructor({ args = [], port = 0, host = '127.0.0.1', data = temporaryFolder(), env, through } = {}) {
    Object.assign(this, { args, port, host, data, env, through });
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  get pid() {
    return this.#process.child.pid;
  }

  /// Everything written to stderr since the first start, with a line for each start.
  get log() {
    return this.#log.map(String).join('');
  }

  /// Starts the process and resolves once it accepts requests.
  async start() {
    const args = ['serve', '--listen', `${this.host}:${this.port}`, '--data', this.data, ...this.args];
    const { child, output, exited } = start('segue', args, { env: this.env, through: this.through });
    this.#process = { child, exited };
    this.lines = output.stderr; // of this start alone
    this.#log.push(`--- segue ${args.join(' ')} (process ${child.pid})\n`);
    child.stderr.on('data', (bytes) => this.#log.push(bytes));
    let gone;
    exited.then(
      (result) => (gone = result),
      (error) => (gone = error),
    );
    const greeting = await waitFor(
      () => {
        assert(!gone, `segue serve ended before it was ready: ${gone?.message ?? `exit ${gone?.code} ${gone?.signal}`}\n${this.log}`);
        return /^Segue is listening on https?:\/\/\S+:(\d+)\/$/m.exec(Buffer.concat(output.stdout).toString());
      },
      { deadline: 20_000, every: 5, what: () => `the line "Segue is listening on"; the log so far:\n${this.log}` },
    );
    this.port = Number(greeting[1]);
    this.ready = true;
    exited.finally(() => child === this.#process.child && (this.ready = false));
    return this;
  }

  /// Sends `signal`, waits for the process to go and returns `{code, signal, ms}`.
  async kill(signal = 'SIGKILL', deadline = 10_000) {
    const { child, exited } = this.#process;
    const begun = Date.now();
    this.ready = false;
    child.kill(signal);
    let result;
    exited.then((end) => (result = end));
    await waitFor(() => result, { deadline, every: 5, what: () => `the process to end after ${signal}; its log:\n${this.log}` });
    return { code: result.code, signal: result.signal, ms: Date.now() - begun };
  }

  /// Asks the process to end and insists that it ends by itself, in time, with success.
  async stop() {
    const end = await this.kill('SIGTERM');
    assert.deepEqual({ code: end.code, signal: end.signal }, { code: 0, signal: null }, `segue serve did not end cleanly:\n${this.log}`);
    return end;
  }

  /// A clean stop and a start on the same data and port.
  async restart() {
    await this.stop();
    return this.start();
  }

  /// Ends the process, whatever its state, and removes its data.
  async dispose() {
    const child = this.#process?.child;
    if (child?.exitCode === null && child.signalCode === null) await this.kill();
    rmSync(this.data, { recursive: true, force: true });
  }
}

/// For the top of a suite: a server that runs for all its tests, must still run after each, must end cleanly at the end,
/// and whose log is shown when a test fails.
export function useServer(options) {
  const server = new Server(options);
  let failed = false;
  before(async () => {
    if (options?.stable) server.port = await stablePort();
    await server.start();
  });
  afterEach((test) => {
    if (!test.passed) {
      failed = true;
      console.log(`\nthe log of the server in "${test.name}":\n${tail(server.log)}`);
    }
  });
  after(async () => {
    try {
      if (server.ready) await server.stop();
      else assert(failed, `the server went away:\n${server.log}`);
    } finally {
      await server.dispose();
    }
  });
  return server;
}

/// Runs `segue serve` with `args`, which it must refuse: returns its output after a non-zero exit in good time.
export async function refusedStart(args) {
  const { code, signal, stdout, stderr } = await run('segue', ['serve', ...args], { deadline: 10_000 });
  assert.equal(signal, null, `killed by ${signal}:\n${stderr}`);
  assert.notEqual(code, 0, `segue serve ${args.join(' ')} should not have started`);
  assert.doesNotMatch(stdout, /Segue is listening/);
  return stdout + stderr;
}

function tail(log, lines = 150) {
  return log.split('\n').slice(-lines).join('\n');
}
