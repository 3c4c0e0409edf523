// Runs a command with real PostgreSQL, Redis and S3 servers beside it, which the contract tests use: node tests/with_stores.mjs COMMAND…
// They are started in build/stores, unless they run there already: then they are left running.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = new URL('..', import.meta.url).pathname;
const folder = join(root, 'build/stores');
const [command, ...args] = process.argv.slice(2);
if (!command) {
  console.error('usage: node tests/with_stores.mjs COMMAND…   runs it with SEGUE_TEST_POSTGRES, SEGUE_TEST_REDIS and SEGUE_TEST_S3 set');
  process.exit(2);
}
const run = (verb) =>
  spawnSync(process.execPath, [join(root, 'tools/stores/run.mjs'), verb, folder], { stdio: 'inherit' }).status === 0;
const theirs = existsSync(join(folder, 'stores.json'));
if (!run('start')) process.exit(1);
const { postgres, redis, radosgw } = JSON.parse(readFileSync(join(folder, 'stores.json'), 'utf8'));
const s3 = radosgw.tenants.alpha;
const env = {
  ...process.env,
  SEGUE_TEST_POSTGRES: postgres.tenants.alpha.url,
  SEGUE_TEST_REDIS: redis.tenants.alpha.url,
  SEGUE_TEST_S3: `s3://${encodeURIComponent(s3.accessKey)}:${encodeURIComponent(s3.secretKey)}@${s3.bucket}?endpoint=${radosgw.endpoint.replace('127.0.0.1', 'localhost')}`,
};
const { status } = spawnSync(command, args, { stdio: 'inherit', env });
if (!theirs) run('stop');
process.exit(status ?? 1);
