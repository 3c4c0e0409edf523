// Segue on networked stores: real ones, a gate in front of each, and servers that know nothing but the gates.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before } from 'node:test';
import { configurationFor } from '../../tools/stores/configuration.mjs';
import { startPostgres } from '../../tools/stores/postgres.mjs';
import { startRadosgw } from '../../tools/stores/radosgw.mjs';
import { startRedis } from '../../tools/stores/redis.mjs';
import { openGate } from './gate.mjs';
import { Server, stablePort, temporaryFolder } from './server.mjs';

const tenant = 'alpha';

/// Redis twice: one for the chunks, and one for the cache alone.
const starters = { postgres: startPostgres, redis: startRedis, cache: startRedis, radosgw: startRadosgw };

/// Starts the four stores and a server on them, each store through a gate of its own (`gates: false`: directly). `settings`
/// are those of a configuration file, beyond what the stores need; the server moves pieces itself. `options` are for the
/// starters of stores, by their names.
///
/// Returns `{server, stores, gates, configuration, stop}`: `stores` and `gates` by the names above, each store with `tenant`,
/// its credentials; `configuration`, the path of the file, for more processes on the same stores; `stop()`, which insists
/// that the server ends in order.
export async function startNetworked({ settings = {}, gates: gated = true, options = {} } = {}) {
  const stores = {};
  const gates = {};
  const end = async () => {
    await Promise.all(Object.values(gates).map((gate) => gate.close()));
    await Promise.all(Object.values(stores).map((store) => store.stop()));
  };
  const begin = async (name) => {
    stores[name] = await starters[name](temporaryFolder(), options[name]);
    stores[name].tenant = await stores[name].createTenant(tenant);
    if (gated) gates[name] = await openGate(stores[name]);
  };
  const begun = await Promise.allSettled(Object.keys(starters).map(begin));
  const data = temporaryFolder();
  const configuration = join(data, 'segue.json');
  const server = new Server({ data: join(data, 'data'), args: ['--config', configuration], port: await stablePort() });
  try {
    for (const { reason } of begun) if (reason) throw reason;
    writeFileSync(configuration, JSON.stringify({ ...settingsFor(stores, gates), ...settings }), { mode: 0o600 });
    await server.start();
  } catch (error) {
    await server.dispose();
    await end();
    throw error;
  }
  const stop = async () => {
    try {
      if (server.ready) await server.stop();
    } finally {
      await server.dispose();
      await end();
    }
  };
  return { server, stores, gates, configuration, stop };
}

/// For the top of a suite, like `useServer`: the members of what it returns are there once a test runs. After each test every
/// gate is open, and the server must be the process it was; its log is shown when a test fails.
export function useNetworked(options) {
  const all = {};
  let pid;
  before(async () => {
    Object.assign(all, await startNetworked(options));
    pid = all.server.pid;
  });
  afterEach(async (test) => {
    if (!all.server) return;
    await Promise.all(Object.values(all.gates).map((gate) => gate.pass()));
    const stayed = all.server.ready && all.server.pid === pid;
    if (!test.passed || !stayed) console.log(`\nthe log of the server in "${test.name}":\n${all.server.log.slice(-30_000)}`);
    if (!stayed) throw new Error('the server did not stay');
  });
  after(() => all.stop?.());
  return all;
}

function settingsFor(stores, gates) {
  const through = (name, url) => (gates[name] ? url.replace(`:${stores[name].port}`, `:${gates[name].port}`) : url);
  const { postgres, redis, cache, radosgw } = stores;
  const all = configurationFor({
    postgres: { tenants: { [tenant]: postgres.tenant } },
    redis: { tenants: { [tenant]: redis.tenant } },
    radosgw: { endpoint: radosgw.endpoint, tenants: { [tenant]: radosgw.tenant } },
  });
  return {
    ...all,
    'chunk-store': through('redis', all['chunk-store']),
    cache: through('cache', `${cache.tenant.url}?prefix=${cache.tenant.prefix}cache:`),
    catalogue: through('postgres', all.catalogue),
    objects: through('radosgw', all.objects),
    transfers: 'here',
  };
}
