// What is left of a test process that is told to end, or killed: no server, and no folder if it has a moment to remove it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import { waitFor } from '../support/http.mjs';
import { temporaryFolder } from '../support/server.mjs';

const support = new URL('../support/server.mjs', import.meta.url);
const script = `
  import { Server } from '${support}';
  const options = [{}, { through: ['prlimit', '--nofile=1024'] }];
  const servers = await Promise.all(options.map((option) => new Server(option).start()));
  console.log(JSON.stringify(servers.map(({ pid }) => pid)));
  setInterval(() => {}, 1000);`;

/// Whether a process with this number works; a zombie does not.
const works = (pid) => existsSync(`/proc/${pid}/exe`);

describe('a test process', { concurrency: true, timeout: 30_000 }, () => {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGKILL'])
    it(`that gets ${signal} leaves no server behind${signal === 'SIGKILL' ? '' : ', nor any folder'}`, async () => {
      const place = temporaryFolder();
      const env = { ...process.env, TMPDIR: place };
      const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
        env,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let said = '';
      child.stdout.on('data', (bytes) => (said += bytes));
      await waitFor(() => said.endsWith('\n'), { deadline: 20_000, what: 'it to start its servers' });
      const servers = JSON.parse(said);
      assert(servers.every(works) && readdirSync(place).length === servers.length);
      child.kill(signal);
      await waitFor(() => !servers.some(works), { what: 'its servers to end' });
      if (signal !== 'SIGKILL') await waitFor(() => readdirSync(place).length === 0, { what: 'its folders to go' });
    });
});
