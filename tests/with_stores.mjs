// Runs a command with real PostgreSQL, Redis and S3 servers beside it, which the contract tests use: node tests/with_stores.mjs COMMAND…
// They are started in build/stores, unless they run there already: then they are left running. Signals go to the command, and
// the stores are stopped behind it.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';

const root = new URL('..', import.meta.url).pathname;
const folder = join(root, 'build/stores');
const [command, ...args] = process.argv.slice(2);
if (!command) {
  console.error('usage: node tests/with_stores.mjs COMMAND…   runs it with SEGUE_TEST_POSTGRES, SEGUE_TEST_REDIS and SEGUE_TEST_S3 set');
  process.exit(2);
}
let child; // what runs now
let interrupted; // the code of a signal that came
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => {
    interrupted = 128 + constants.signals[signal];
    child?.kill(signal); // from a terminal it comes twice
  });

/// Runs a program to its end and gives its exit code, as a shell would.
function codeOf(name, args, options) {
  child = spawn(name, args, { stdio: 'inherit', ...options });
  return new Promise((resolve) => {
    child.once('error', (error) => {
      console.error(error.message);
      resolve(127);
    });
    child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  });
}
const stores = (verb, options) => codeOf(process.execPath, [join(root, 'tools/stores/run.mjs'), verb, folder], options);

function environment() {
  const { postgres, redis, radosgw } = JSON.parse(readFileSync(join(folder, 'stores.json'), 'utf8'));
  const s3 = radosgw.tenants.alpha;
  return {
    ...process.env,
    SEGUE_TEST_POSTGRES: postgres.tenants.alpha.url,
    SEGUE_TEST_REDIS: redis.tenants.alpha.url,
    SEGUE_TEST_S3: `s3://${encodeURIComponent(s3.accessKey)}:${encodeURIComponent(s3.secretKey)}@${s3.bucket}?endpoint=${radosgw.endpoint.replace('127.0.0.1', 'localhost')}`,
  };
}

const theirs = existsSync(join(folder, 'stores.json'));
let code = await stores('start');
if (code === 0) code = interrupted ?? (await codeOf(command, args, { env: environment() }));
if (!theirs) {
  const stopping = stores('stop', { detached: true }); // out of reach of Ctrl-C
  child = undefined; // and of ours
  await stopping;
}
process.exit(code);
