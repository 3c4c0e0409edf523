// Tenants on networked stores of their own, in one server: nothing of one is in the other's, and what fails one leaves the other
// alone. And which starts are refused, because they would open doors or tell secrets.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { configurationFor } from '../../tools/stores/configuration.mjs';
import { startPostgres } from '../../tools/stores/postgres.mjs';
import { startRadosgw } from '../../tools/stores/radosgw.mjs';
import { startRedis } from '../../tools/stores/redis.mjs';
import { everyCase } from '../support/cases.mjs';
import { expectProblem, get, sha256, waitFor } from '../support/http.mjs';
import { run } from '../support/need.mjs';
import { refusedStart, Server, stablePort, temporaryFolder } from '../support/server.mjs';
import { askAs, insideOf, newSecret, secondsFromNow, token } from '../support/tokens.mjs';

function configured(settings) {
  const file = join(temporaryFolder(), 'segue.json');
  writeFileSync(file, typeof settings === 'string' ? settings : JSON.stringify(settings), { mode: 0o600 });
  return file;
}

/// What a server with these settings says when it refuses to start.
const free = ['--listen', '127.0.0.1:0'];
const refusal = (settings, ...args) =>
  refusedStart([...free, '--data', join(temporaryFolder(), 'data'), '--config', configured(settings), ...args]);

const wish = { prompt: 'slow jazz trio in D minor', duration_s: 6, seed: 5 };

describe('two tenants on stores of their own', { timeout: 120_000 }, () => {
  const starters = { postgres: startPostgres, redis: startRedis, radosgw: startRadosgw };
  const names = ['alpha', 'beta'];
  const stores = {};
  const has = {}; // credentials of each tenant, by store
  const settings = {};
  const secrets = { alpha: newSecret(), beta: newSecret() };
  let server;
  let failed = true; // until the last test has passed

  before(async () => {
    const begin = async (name) => {
      stores[name] = await starters[name](temporaryFolder());
      has[name] = {};
      for (const tenant of names) has[name][tenant] = await stores[name].createTenant(tenant);
    };
    await Promise.all(Object.keys(starters).map(begin));
    const all = Object.fromEntries(Object.keys(starters).map((name) => [name, { ...stores[name], tenants: has[name] }]));
    all.radosgw.endpoint = stores.radosgw.endpoint;
    const more = { transfers: 'here', 'archive-after': '1h' };
    for (const tenant of names) settings[tenant] = { ...configurationFor(all, tenant), ...more, 'jwt-secret': secrets[tenant] };
    const args = ['--auth', '--config', configured({ tenants: settings })];
    for (const command of [['doctor'], ['keys', 'ls', '--tenant', 'alpha'], ['work']]) {
      const { code, stdout, stderr } = await run('segue', [...command, ...args.slice(1), '--data', temporaryFolder()]);
      assert.equal(code, 1, 'nobody has made the tables yet, and this command does not');
      assert.match(stdout + stderr, /the schema "segue" is not there yet.* `segue migrate`/);
    }
    server = await new Server({ args, port: await stablePort() }).start();
  });
  after(async () => {
    try {
      if (server?.ready) await server.stop();
      if (failed) console.log(`\nthe log of the server:\n${server?.log.slice(-15_000)}`);
    } finally {
      await server?.dispose();
      await Promise.all(Object.values(stores).map((store) => store.stop()));
    }
  });

  const as = (tenant, request) =>
    askAs(server, token({ tenant, sub: 'ann', role: 'admin', exp: secondsFromNow(3_600) }, secrets[tenant]), request);

  async function seen(tenant, path) {
    const reply = await as(tenant, { path });
    assert.equal(reply.status, 200, `${tenant} ${path}: ${reply.text}`);
    return reply;
  }

  async function make(tenant, fields = {}) {
    const reply = await as(tenant, { method: 'POST', path: '/v1/generations', body: { ...wish, ...fields } });
    assert.equal(reply.status, 200, reply.text);
    return reply.json.request_id;
  }

  const soundOf = async (tenant, id) => sha256((await seen(tenant, `/v1/generations/${id}/audio`)).body);
  const transferOf = async (tenant, id) =>
    (await seen(tenant, '/v1/transfers')).json.transfers.find(({ path }) => path === `generations/${id}/audio`);

  /// Waits for the end of a piece, and for its upload.
  const isArchived = ({ kind, state } = {}) => kind === 'evict' && state === 'waiting';
  const archived = (tenant, id) => waitFor(async () => isArchived(await transferOf(tenant, id)), { deadline: 30_000 });

  const inside = (tenant) => insideOf(stores, has, tenant);
  const pieces = { alpha: [], beta: [] };
  let sum; // of the sound of every piece

  it('makes and archives a piece of each, in its own stores alone', async () => {
    for (const tenant of names) for (let count = 0; count < 2; ++count) pieces[tenant].push(await make(tenant));
    for (const tenant of names) for (const id of pieces[tenant]) await archived(tenant, id);
    sum = await soundOf('alpha', pieces.alpha[0]);
    for (const [tenant, other] of [names, [...names].reverse()]) {
      const there = await inside(tenant);
      for (const id of pieces[tenant]) {
        assert.equal(await soundOf(tenant, id), sum, 'the same wish, the same sound');
        for (const what of ['generations', 'transfers', 'paths']) assert(there[what].includes(id), `it is in ${what}`);
        const objects = there.objects.map((line) => line.split(' ')[0]);
        for (const end of ['mp3', 'json']) assert(objects.includes(`pieces/generations/${id}/audio.${end}`), `${objects}`);
        assert(!JSON.stringify(await inside(other)).includes(id), `${other} has nothing of it`);
        assert.equal((await as(other, { path: `/v1/generations/${id}` })).status, 404);
      }
    }
    const keys = await stores.redis.command('--scan');
    assert(
      keys.split('\n').every((key) => /^(alpha|beta):(log|cache):/.test(key)),
      keys,
    );
  });

  it('keeps the keys of a tenant in its own database', async () => {
    const args = ['keys', 'add', '--config', server.args.at(-1), '--data', server.data, '--user', 'bob', '--role', 'reader'];
    const { stdout, stderr } = await run('segue', [...args, '--tenant', 'alpha']);
    assert.match(stdout, /^sk_alpha_/, stderr);
    const kept = (tenant) => stores.postgres.sql('SELECT user_id FROM segue.api_keys', has.postgres[tenant].url);
    assert.deepEqual([await kept('alpha'), await kept('beta')], ['bob', '']);
    assert.equal((await askAs(server, stdout.trim(), { path: '/v1/generations' })).status, 200);
    assert.match((await run('segue', args)).stderr, /say which tenant with --tenant: there are alpha, beta/);
  });

  it('stands on credentials that open nothing of the other tenant, not even by hand', async () => {
    const { postgres, redis, radosgw } = stores;
    for (const [tenant, other] of [names, [...names].reverse()]) {
      const { user, password } = has.postgres[tenant];
      await assert.rejects(postgres.sql('SELECT 1', postgres.url(other, user, password)), /permission denied for database/);
      const { keys, objects } = await inside(other);
      for (const command of ['DUMP', 'UNLINK'])
        for (const [key] of keys.slice(0, 4).map((line) => line.split(' ')))
          await assert.rejects(redis.commandAs(has.redis[tenant], command, key), /NOPERM/);
      for (const object of ['?list-type=2', ...objects.slice(0, 2).map((line) => `/${line.split(' ')[0]}`)])
        for (const method of object.startsWith('?') ? ['GET'] : ['GET', 'DELETE'])
          assert.equal((await radosgw.request(method, `/${other}${object}`, has.radosgw[tenant])).status, 403, object);
      for (const id of pieces[other]) assert.equal(await soundOf(other, id), sum);
    }
  });

  it('does not start a tenant with credentials of another, or with wrong ones, and says so without them', async () => {
    const [{ postgres, radosgw }, { alpha, beta }] = [stores, settings];
    const s3 = (...pair) => `s3://${pair.map(encodeURIComponent).join(':')}@beta/pieces?endpoint=${radosgw.endpoint}`;
    const { accessKey, secretKey } = has.radosgw.alpha;
    const wrong = `wrong${newSecret()}`;
    const cases = [
      [
        'catalogue',
        alpha.catalogue.replace(/alpha$/, 'beta'),
        has.postgres.alpha.password,
        /permission denied for database "beta"/,
      ],
      ['catalogue', postgres.url('beta', 'beta', wrong), wrong, /password authentication failed.*check the user/],
      ['chunk-store', alpha['chunk-store'].replace('alpha:log:', 'beta:log:'), has.redis.alpha.password, /NOPERM|may not/],
      ['chunk-store', beta['chunk-store'].replace(has.redis.beta.password, wrong), wrong, /WRONGPASS|password/],
      ['cache', alpha.cache.replace('alpha:cache:', 'beta:cache:'), has.redis.alpha.password, /NOPERM|may not/],
      ['cache', beta.cache.replace(has.redis.beta.password, wrong), wrong, /WRONGPASS|password/],
      ['objects', s3(accessKey, secretKey), secretKey, /the access key is known, but may not do that/],
      ['objects', s3(has.radosgw.beta.accessKey, wrong), wrong, /the access key or the secret in the URL is wrong/],
    ];
    await everyCase(cases, async ([setting, url, secret, explanation]) => {
      const said = await refusal({ auth: true, tenants: { one: {}, beta: { [setting]: url } } });
      assert.match(said, explanation);
      assert.match(said, /tenant beta: /);
      for (const part of [secret, encodeURIComponent(secret)]) assert(!said.includes(part), 'tells the password');
    });
  });

  it('does not start two tenants on the same store', async () => {
    const { url } = await stores.postgres.createTenant('gamma');
    const redis = (await stores.redis.createTenant('gamma')).url;
    const same = { catalogue: url, 'chunk-store': `${redis}?prefix=gamma:log:`, cache: `${redis}?prefix=gamma:cache:` };
    await everyCase(Object.entries(same), async ([setting, where]) => {
      const said = await refusal({ auth: true, tenants: { one: { [setting]: where }, two: { [setting]: where } } });
      for (const name of ['one', 'two', setting]) assert.match(said, new RegExp(`\\b${name}\\b`));
      const stranger = where.replace(/\/\/[^@]+@/, '//somebody:else@');
      const still = await refusal({ auth: true, tenants: { one: { [setting]: where }, two: { [setting]: stranger } } });
      assert.match(still, /tenants one and two have the same .*each needs its own/, 'whoever uses it');
    });
  });

  it('purges a piece from all stores of its tenant, and touches nothing of the other', async () => {
    const [evicted, waiting] = pieces.alpha;
    const untouched = await inside('beta');
    const { id } = await transferOf('alpha', evicted);
    assert.equal((await as('alpha', { method: 'POST', path: `/v1/transfers/${id}/retry` })).status, 200);
    await waitFor(async () => (await transferOf('alpha', evicted)).state === 'done');
    assert.equal(await soundOf('alpha', evicted), sum, 'it is in the bucket, and plays');
    const lines = (await stores.redis.command('HGETALL', 'alpha:log:names')).split('\n');
    const numbers = lines.filter((_, index) => index % 2 && lines[index - 1].includes(waiting));
    assert.equal(numbers.length, 3, `sound, events and transfers: ${lines}`);
    const { keys } = await inside('alpha');
    const ofPiece = (all) => all.filter((key) => numbers.includes(/:(?:s|c|p|r):(\d+) /.exec(key)?.[1]));
    for (const kind of ['log:s:', 'log:c:', 'cache:r:']) assert(`${ofPiece(keys)}`.includes(kind), `${kind} before: ${keys}`);

    for (const piece of pieces.alpha) {
      const purged = await as('alpha', { method: 'DELETE', path: `/v1/generations/${piece}?purge=true` });
      assert.equal(purged.status, 204, purged.text);
      for (const path of [`/v1/generations/${piece}`, `/v1/stream/generations/${piece}/audio`])
        assert.equal((await as('alpha', { path })).status, 404);
    }
    let left;
    const isGone = async () => {
      left = await inside('alpha');
      const told = pieces.alpha.map((piece) => `generations/${piece}/audio|remove|done`).sort();
      return left.transfers === told.join('\n') && left.objects.length === 0;
    };
    await waitFor(isGone, { deadline: 20_000, what: () => `the objects and transfers to go: ${JSON.stringify(left)}` });
    assert.equal(left.generations, '');
    for (const piece of pieces.alpha) assert(!left.paths.includes(piece), left.paths);
    assert.deepEqual(ofPiece(left.keys), []);
    const uploads = await stores.radosgw.request('GET', '/alpha?uploads=', has.radosgw.alpha);
    assert.deepEqual([uploads.status, uploads.body.includes('<UploadId>')], [200, false], uploads.body);
    assert.deepEqual(await inside('beta'), untouched);
    for (const piece of pieces.beta) assert.equal(await soundOf('beta', piece), sum);
  });

  it('goes on for one tenant while the database of the other is away, and for both when it is back', async () => {
    const { postgres } = stores;
    const kept = await make('alpha');
    await archived('alpha', kept);
    const interrupted = await make('alpha', { pace: 'realtime' });
    await waitFor(async () => (await seen('alpha', `/v1/generations/${interrupted}`)).json.audio_bytes > 0);
    const order = () => as('alpha', { method: 'POST', path: '/v1/generations', body: wish });
    const refused = [];
    await postgres.sql('ALTER DATABASE alpha ALLOW_CONNECTIONS false');
    try {
      await postgres.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'alpha'");
      refused.push(await waitFor(async () => [await order()].find(({ status }) => status >= 500)));
      const sound = (id) => seen('alpha', `/v1/stream/generations/${id}/audio`);
      assert.equal(sha256((await sound(kept)).body), sum, 'what needs no row is there');
      assert.equal((await sound(interrupted)).headers['stream-closed'], undefined, 'it is in the middle');
      const other = await make('beta');
      await archived('beta', other);
      for (const piece of [...pieces.beta, other]) assert.equal(await soundOf('beta', piece), sum);
      refused.push(await as('alpha', { path: `/v1/generations/${kept}` }), await order());
    } finally {
      await postgres.sql('ALTER DATABASE alpha ALLOW_CONNECTIONS true');
    }
    const again = await waitFor(async () => [await order()].find(({ status }) => status === 200));
    for (const id of [kept, interrupted, again.json.request_id]) {
      await archived('alpha', id);
      assert.equal(await soundOf('alpha', id), sum, id);
    }
    await waitFor(async () => (await get(server, '/readyz')).status === 200);
    const passwords = Object.values(has).flatMap((of) => names.map((name) => of[name].password ?? of[name].secretKey));
    for (const secret of [...Object.values(secrets), ...passwords]) assert(!server.log.includes(secret), 'it tells a secret');
    for (const reply of refused) {
      expectProblem(reply, 503);
      assert.match(reply.headers['retry-after'], /^\d+$/);
    }
  });

  it('starts for one tenant while the database of the other is away, which follows when it is back', async () => {
    const { postgres } = stores;
    const doctor = () => run('segue', ['doctor', ...server.args.slice(1), '--listen', '127.0.0.1:0', '--data', temporaryFolder()]);
    const kept = await make('alpha');
    await archived('alpha', kept);
    await postgres.sql('ALTER DATABASE alpha ALLOW_CONNECTIONS false');
    try {
      await server.restart();
      assert.match(server.log, /warning .*tenant_away: tenant alpha: .*the others begin, and it follows/);
      const other = await make('beta');
      await archived('beta', other);
      assert.equal(await soundOf('beta', other), sum);
      const refused = await as('alpha', { path: `/v1/generations/${kept}` });
      expectProblem(refused, 503);
      assert.match(refused.headers['retry-after'], /^\d+$/);
      assert.equal((await get(server, '/readyz')).status, 200, 'somebody is served');
      const { code, stdout } = await doctor();
      assert.equal(code, 1);
      assert.match(stdout, /BAD +stores +tenant alpha: /);
    } finally {
      await postgres.sql('ALTER DATABASE alpha ALLOW_CONNECTIONS true');
    }
    await waitFor(async () => (await as('alpha', { path: `/v1/generations/${kept}` })).status === 200, { what: 'alpha to follow' });
    assert.match((await doctor()).stdout, /^ok +stores +redis:/m, 'beside a server that runs');
    assert.equal(await soundOf('alpha', kept), sum);
    const again = await make('alpha');
    await archived('alpha', again);
    await server.restart(); // its leases were taken late, and are given back
    assert.equal(await soundOf('alpha', again), sum);
    failed = false;
  });
});

describe('a server that should not run', { timeout: 60_000 }, () => {
  const two = { tenants: { alpha: {}, beta: {} } };

  it('does not listen beyond loopback without --auth, nor serve several tenants', async () => {
    for (const host of ['0.0.0.0', '[::]'])
      for (const settings of [{}, two]) {
        const args = ['--listen', `${host}:0`, '--data', join(temporaryFolder(), 'data'), '--config', configured(settings)];
        assert.match(await refusedStart(args), /is not a loopback address.*--auth/);
      }
    assert.match(await refusal(two), /several tenants need --auth/);
    assert.match(await refusal(two, '--insecure'), /several tenants need --auth/);
  });

  it('listens beyond loopback with --auth, and lets nobody in', async () => {
    const server = await new Server({ host: '0.0.0.0', args: ['--auth', '--config', configured(two)] }).start();
    try {
      assert.equal((await get(server, '/healthz')).status, 200);
      expectProblem(await get(server, '/v1/generations'), 401);
      await server.stop();
    } finally {
      await server.dispose();
    }
  });

  it('says what is wrong with its settings, and never what is secret in them', async () => {
    const secret = 'hunter2hunter2hunter2hunter2hunter2';
    const cases = [
      ['catalogue', `postgresql://u:${secret}@127.0.0.1:port/x`, /is no URL/],
      ['catalogue', `postgresql://u:${secret}@127.0.0.1:1/x`, /Connection refused/],
      ['catalogue', `postgresql://u:${secret}@127.0.0.1:1/x?tls=1`, /there is no parameter "tls"/],
      ['catalogue', `postgresql://u:a@${secret}@127.0.0.1:1/x`, /./],
      ['catalogue', `postgresql:u:${secret}@127.0.0.1:1/x`, /is no URL/],
      ['catalogue', `mysql://u:${secret}@127.0.0.1/x`, /tenant alpha: catalogue: it must begin with one of postgresql:, sqlite:/],
      ['chunk-store', `redis://u:${secret}@127.0.0.1:1/0`, /cannot be reached/],
      ['objects', `s3://k:${secret}@bucket?endpoint=ftp://x`, /endpoint "ftp:..x" is not possible/],
      ['objects', `s3:k:${secret}@bucket`, /is no URL/],
      [undefined, `{"auth": true, "jwt-secret": "${secret}, "tenants": {}}`, /line 1/],
      ['jwt-secret', secret.slice(0, 31), /at least 32 bytes/],
      ['catalogue', '${env:SEGUE_TEST_NOWHERE}', /there is no environment variable SEGUE_TEST_NOWHERE/],
      ['catalogue', '${file:/segue/nowhere}', /the file \/segue\/nowhere cannot be read/],
      ['catalogue', '${vault:x}', /there are \$\{env:NAME\} and \$\{file:PATH\}/],
    ];
    await everyCase(cases, async ([setting, value, explanation]) => {
      const said = await refusal(setting ? { auth: true, tenants: { alpha: { [setting]: value } } } : value);
      assert.match(said, explanation);
      assert(!said.includes(secret.slice(0, 31)), `tells the secret: ${said}`);
    });
  });
});
