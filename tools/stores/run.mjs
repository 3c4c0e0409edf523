// Starts and stops all stores from the command line.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { Postgres, startPostgres } from './postgres.mjs';
import { clearUpOnSignals, endNow } from './program.mjs';
import { Radosgw, startRadosgw } from './radosgw.mjs';
import { Redis, startRedis } from './redis.mjs';

const help = `usage: node tools/stores/run.mjs start FOLDER
       node tools/stores/run.mjs stop FOLDER

start  Starts PostgreSQL, Redis and Ceph radosgw (S3) on free ports of 127.0.0.1, makes the tenants alpha and beta in each,
       writes FOLDER/stores.json and ends; the stores run on. FOLDER is theirs alone: new, empty, or from an earlier start.
       When they run already, nothing is done. One that has died since comes back on its port with its data: kill one by the
       pid in stores.json, and start again. Only the objects of radosgw are in memory, that of its cluster.
stop   Ends everything that runs in FOLDER, also after a start that failed. Data and logs stay until the next start.

FOLDER/stores.json has for each store its host, port, pid and credentials, and those of each tenant; only its owner can read it:
       psql "$(jq -r .postgres.tenants.alpha.url FOLDER/stores.json)"
`;

const tenants = ['alpha', 'beta'];
const stores = {
  postgres: { begin: startPostgres, Again: Postgres, says: ({ adminUrl, password }) => ({ adminUrl, password }) },
  redis: { begin: startRedis, Again: Redis, says: (redis) => ({ url: redis.url(), password: redis.password }) },
  radosgw: { begin: startRadosgw, Again: Radosgw, says: ({ endpoint }) => ({ endpoint }) },
};

const [verb, folder, ...more] = process.argv.slice(2);
if (['--help', '-h', 'help'].includes(verb)) process.stdout.write(help);
else if (!['start', 'stop'].includes(verb) || !folder || more.length) {
  process.stderr.write(help);
  process.exitCode = 2;
} else {
  clearUpOnSignals();
  try {
    if (verb === 'start') mkdirSync(folder, { recursive: true });
    await { start, stop }[verb](own(folder));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}

async function start(folder) {
  const known = read(folder);
  let keep = Boolean(known);
  process.on('exit', () => keep || endNow(folder)); // a first start that fails leaves nothing running
  if (!known) makeRoom(folder);
  const outcomes = await Promise.allSettled(
    Object.keys(stores).map(async (name) => [name, await (known ? revive(known[name], name, folder) : begin(name, folder))]),
  );
  const failures = outcomes.filter(({ reason }) => reason).map(({ reason }) => reason.message);
  if (failures.length) throw new Error(failures.join('\n'));
  write(folder, Object.fromEntries(outcomes.map(({ value }) => value)));
  keep = true;
}

async function begin(name, folder) {
  const store = await stores[name].begin(join(folder, name), { outlive: true });
  const made = {};
  for (const tenant of tenants) made[tenant] = await store.createTenant(tenant);
  return { host: store.host, port: store.port, pid: store.pid, ...stores[name].says(store), tenants: made };
}

/// Brings back one that has died.
async function revive(known, name, folder) {
  const store = new stores[name].Again(join(folder, name), { ...known, outlive: true });
  if (!store.pid) await store.start();
  return { ...known, pid: store.pid };
}

function stop(folder) {
  endNow(folder);
  rmSync(join(folder, 'stores.json'), { force: true });
}

/// The real path of `folder`, which nobody else may use: what works there is killed.
function own(folder) {
  if (!existsSync(folder)) return resolve(folder); // stores may run on when it was removed
  const alien = readdirSync(folder).find((entry) => !(entry in stores) && !entry.startsWith('stores.json'));
  if (alien) throw new Error(`${folder} is not a folder of the stores, it holds ${alien}: name a new one`);
  return realpathSync(folder);
}

/// Ends and removes what an earlier start has left.
function makeRoom(folder) {
  endNow(folder);
  for (const name of Object.keys(stores)) rmSync(join(folder, name), { recursive: true, force: true });
  chmodSync(folder, 0o711); // the user postgres has to get through, to the folder of its own
}

function read(folder) {
  try {
    return JSON.parse(readFileSync(join(folder, 'stores.json'), 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function write(folder, content) {
  const path = join(folder, 'stores.json');
  writeFileSync(`${path}.new`, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path); // never half of it
}
