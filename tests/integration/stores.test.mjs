// The stores that other tests stand on, and the gate in front of them: that they refuse, keep and break as they should.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startPostgres } from '../../tools/stores/postgres.mjs';
import { processesIn } from '../../tools/stores/program.mjs';
import { startRadosgw } from '../../tools/stores/radosgw.mjs';
import { startRedis } from '../../tools/stores/redis.mjs';
import { openGate } from '../support/gate.mjs';
import { waitFor } from '../support/http.mjs';
import { temporaryFolder } from '../support/server.mjs';

const runScript = fileURLToPath(new URL('../../tools/stores/run.mjs', import.meta.url));
const starters = { postgres: startPostgres, redis: startRedis, radosgw: startRadosgw };
const stores = {};
const tenants = {}; // of each store, as {alpha, beta}

before(async () => {
  const start = async (name) => {
    const store = await starters[name](temporaryFolder());
    stores[name] = store;
    tenants[name] = { alpha: await store.createTenant('alpha'), beta: await store.createTenant('beta') };
  };
  await Promise.all(Object.keys(starters).map(start));
});
after(() => Promise.all(Object.values(stores).map((store) => store.stop())));

describe('postgres', () => {
  it('keeps a committed row through kill -9', async () => {
    const { postgres } = stores;
    const { url } = tenants.postgres.alpha;
    await postgres.sql("CREATE TABLE song (title text); INSERT INTO song VALUES ('kept')", url);
    const before = { pid: postgres.pid, port: postgres.port };
    await postgres.kill();
    assert.equal(postgres.pid, undefined);
    await assert.rejects(postgres.sql('SELECT 1', url), /Connection refused/);
    await postgres.restart();
    assert.equal(postgres.port, before.port);
    assert.notEqual(postgres.pid, before.pid);
    assert.equal(await postgres.sql('SELECT title FROM song', url), 'kept');
    assert.equal(await postgres.sql('SHOW fsync'), 'on');
  });

  it('lets no tenant connect to the database of another, or to that of the administrator', async () => {
    const { postgres } = stores;
    const { user, password } = tenants.postgres.alpha;
    for (const database of ['beta', 'postgres', 'template1'])
      await assert.rejects(postgres.sql('SELECT 1', postgres.url(database, user, password)), /permission denied for database/);
    await assert.rejects(postgres.sql('SELECT 1', postgres.url('alpha', user, 'wrong')), /password authentication failed/);
  });

  it('goes on after it was stopped with SIGSTOP', async () => {
    const { postgres } = stores;
    await postgres.kill('SIGSTOP');
    let answered = false;
    const answer = postgres.sql('SELECT 7').finally(() => (answered = true));
    await stores.redis.command('PING'); // takes its time, in which nothing is answered
    assert(!answered);
    await postgres.kill('SIGCONT');
    assert.equal(await answer, '7');
  });
});

describe('redis', () => {
  it('keeps what it acknowledged, and its tenants, through kill -9', async () => {
    const { redis } = stores;
    const { alpha } = tenants.redis;
    await redis.commandAs(alpha, 'SET', 'alpha:song', 'kept');
    await redis.kill();
    await redis.restart();
    assert.equal(await redis.commandAs(alpha, 'GET', 'alpha:song'), 'kept');
  });

  it('lets a tenant use its own keys and channels and nothing else', async () => {
    const { redis } = stores;
    const { alpha, beta } = tenants.redis;
    await redis.commandAs(alpha, 'SET', 'alpha:secret', 'x');
    for (const forbidden of [
      ['GET', 'alpha:secret'],
      ['SET', 'alpha:secret', 'y'],
      ['EVAL', "return redis.call('GET', 'alpha:secret')", '0'],
      ['PUBLISH', 'alpha:news', 'x'],
      ['FLUSHALL'],
      ['CONFIG', 'SET', 'appendfsync', 'no'],
      ['ACL', 'LIST'],
    ])
      await assert.rejects(redis.commandAs(beta, ...forbidden), /NOPERM|No permissions|can't access/, forbidden.join(' '));
    await assert.rejects(redis.commandAs({ user: 'default', password: 'wrong' }, 'PING'), /WRONGPASS|NOAUTH/);
  });

  it('shows a tenant how durable it is, and no password', async () => {
    const { redis } = stores;
    assert.equal(await redis.commandAs(tenants.redis.beta, 'CONFIG', 'GET', 'appendfsync'), 'appendfsync\nalways');
    assert.doesNotMatch(await redis.commandAs(tenants.redis.beta, 'CONFIG', 'GET', '*'), new RegExp(redis.password));
  });
});

describe('radosgw', () => {
  it('refuses a wrong secret and the bucket of another', async () => {
    const { radosgw } = stores;
    const { alpha, beta } = tenants.radosgw;
    const wrong = await radosgw.request('GET', '/alpha', { ...alpha, secretKey: 'wrong' });
    assert.equal(wrong.status, 403);
    assert.match(wrong.body, /<Code>SignatureDoesNotMatch</);
    const foreign = await radosgw.request('GET', '/alpha', beta);
    assert.equal(foreign.status, 403);
    assert.match(foreign.body, /<Code>AccessDenied</);
  });

  it('finds a bucket by path and by host name', async () => {
    const { radosgw } = stores;
    const { alpha } = tenants.radosgw;
    assert.equal((await radosgw.request('PUT', '/alpha/by-path', alpha, 'sound')).status, 200);
    const byName = `http://alpha.localhost:${radosgw.port}`;
    assert.deepEqual(await radosgw.request('GET', `${byName}/by-path`, alpha), { status: 200, body: 'sound' });
    assert.equal((await radosgw.request('PUT', `${byName}/by-name`, alpha, 'sound')).status, 200);
    assert.deepEqual(await radosgw.request('GET', '/alpha/by-name', alpha), { status: 200, body: 'sound' });
  });

  it('keeps an object through kill -9 of the gateway', async () => {
    const { radosgw } = stores;
    const { alpha } = tenants.radosgw;
    assert.equal((await radosgw.request('PUT', '/alpha/kept', alpha, 'sound')).status, 200);
    await radosgw.kill();
    await assert.rejects(radosgw.request('GET', '/alpha/kept', alpha), /curl failed with 7/);
    await radosgw.restart();
    assert.deepEqual(await radosgw.request('GET', '/alpha/kept', alpha), { status: 200, body: 'sound' });
  });
});

describe('the gate', () => {
  const open = [];
  let gate;
  before(async () => (gate = await openGate(stores.redis)));
  after(async () => {
    open.forEach((client) => client.socket.destroy());
    await gate?.close();
  });

  /// A client of redis that says what came back, and how its connection ended.
  async function dial() {
    const socket = net.connect({ host: '127.0.0.1', port: gate.port });
    const client = { socket, received: '', ended: undefined, send: (line) => socket.write(`${line}\r\n`) };
    socket.on('data', (bytes) => (client.received += bytes));
    socket.on('error', ({ code }) => (client.ended = code));
    socket.on('end', () => (client.ended = 'in order'));
    open.push(client);
    client.send(`AUTH ${stores.redis.password}`);
    return client;
  }
  const received = (client, what) =>
    waitFor(() => client.received.includes(what), { every: 2, what: () => `${what} in ${client.received}` });
  const ended = (client) => waitFor(() => client.ended, { every: 2, what: 'the connection to end' });

  async function connected() {
    const client = await dial();
    await received(client, '+OK');
    return client;
  }

  it('passes both ways, and the end of a connection too', async () => {
    const client = await connected();
    assert.equal(gate.connections, 1);
    client.send('ECHO there-and-back');
    await received(client, 'there-and-back');
    client.send('QUIT');
    assert.equal(await ended(client), 'in order');
    await waitFor(() => gate.connections === 0, { what: 'the gate to forget the connection' });
  });

  it('refuses: old connections are reset, new ones find nobody, and later the same port leads there again', async () => {
    const old = await connected();
    await gate.refuse();
    assert.equal(await ended(old), 'ECONNRESET');
    assert.equal(await ended(await dial()), 'ECONNREFUSED');
    await gate.pass();
    await connected();
  });

  it('hangs: nothing gets through, new connections are accepted, and nothing is lost', async () => {
    const old = await connected();
    await gate.hang();
    old.send('INCR hung');
    const fresh = await dial();
    fresh.send('INCR hung');
    await waitFor(() => fresh.socket.readyState === 'open', { what: 'the new connection' });
    assert.equal(await stores.redis.command('EXISTS', 'hung'), '0');
    assert.equal(old.received + fresh.received, '+OK\r\n');
    await gate.pass();
    await Promise.all([received(old, ':'), received(fresh, ':')]);
    assert.equal(await stores.redis.command('GET', 'hung'), '2');
  });

  it('refuses after it hung: what was held back is lost', async () => {
    const old = await connected();
    await gate.hang();
    old.send('SET held-back x');
    assert.equal(await stores.redis.command('EXISTS', 'held-back'), '0');
    await gate.refuse();
    assert.equal(await ended(old), 'ECONNRESET');
    assert.equal(await stores.redis.command('EXISTS', 'held-back'), '0');
    await gate.pass();
  });

  it('cuts a request in its middle, once', async () => {
    const [client, other] = [await connected(), await connected()];
    await gate.cutAfter('SET half '.length);
    client.send('SET half done');
    assert.equal(await ended(client), 'ECONNRESET');
    other.send('EXISTS half');
    await received(other, ':0');
    assert.equal(other.ended, undefined);
  });

  it('cuts an answer: what was asked is done, and nobody hears of it', async () => {
    const client = await connected();
    await gate.cutAfter(0, 'toClient');
    client.send('SET unheard done');
    assert.equal(await ended(client), 'ECONNRESET');
    assert.equal(client.received, '+OK\r\n'); // of AUTH
    assert.equal(await stores.redis.command('GET', 'unheard'), 'done');
  });

  it('is slow: so many bytes a second, and whoever sends more has to wait', async () => {
    await stores.redis.command('SETRANGE', 'long', '99999', 'x');
    const [client, flood] = [await connected(), await connected()];
    await gate.slow(200_000);
    const begun = Date.now();
    client.send('GET long');
    flood.send('*3\r\n$3\r\nSET\r\n$5\r\nflood\r\n$64000000');
    for (let sent = 0; sent < 64; ++sent) flood.socket.write(Buffer.alloc(1_000_000));
    await waitFor(() => client.received.length > 100_000, { what: 'a long answer' });
    const took = Date.now() - begun;
    assert(took >= 400, `100 kB at 200 kB/s took ${took} ms`);
    assert.equal(flood.ended, undefined);
    assert(flood.socket.writableLength > 32_000_000, 'the gate took most of 64 MB');
    flood.socket.destroy();
    await gate.pass();
  });
});

describe('run.mjs', () => {
  const script = (...args) => spawnSync(process.execPath, [runScript, ...args], { encoding: 'utf8' });

  it('starts all stores, does nothing the second time, revives what died, and stops everything', async () => {
    const folder = join(temporaryFolder(), 'stores');
    execFileSync('chmod', ['711', join(folder, '..')]); // the user postgres has to get through
    const read = () => JSON.parse(readFileSync(join(folder, 'stores.json'), 'utf8'));
    try {
      const started = script('start', folder);
      assert.equal(started.status, 0, started.stderr);
      assert.equal(statSync(join(folder, 'stores.json')).mode & 0o777, 0o600);
      const first = read();
      assert.equal(script('start', folder).status, 0);
      assert.deepEqual(read(), first);

      process.kill(first.redis.pid, 'SIGKILL');
      await waitFor(() => !processesIn(folder).some(({ pid }) => pid === first.redis.pid), { what: 'redis to die' });
      assert.equal(script('start', folder).status, 0);
      assert.deepEqual({ ...read(), redis: undefined }, { ...first, redis: undefined });
      assert.notEqual(read().redis.pid, first.redis.pid);
      const url = read().redis.tenants.beta.url;
      assert.equal(execFileSync('redis-cli', ['-u', url, 'PING'], { encoding: 'utf8', stdio: 'pipe' }), 'PONG\n');
    } finally {
      const stopped = script('stop', folder);
      assert.equal(stopped.status, 0, stopped.stderr);
    }
    assert.deepEqual(processesIn(folder), []);
  });

  it('keeps away from folders that are not its own, and says what a missing program needs', () => {
    const folder = fileURLToPath(new URL('.', import.meta.url));
    const refused = script('start', folder);
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /is not a folder of the stores/);
    const program = new URL('../../tools/stores/program.mjs', import.meta.url);
    const find = `import('${program}').then(({ program }) => program('redis-server'))`;
    const { stderr } = spawnSync(process.execPath, ['-e', find], { env: { PATH: '' }, encoding: 'utf8' });
    assert.match(stderr, /redis-server is missing: .*`tools\/install test`.* Debian package redis-server/);
    assert.match(script('--help').stdout, /^usage: .* start FOLDER/);
    const configuration = fileURLToPath(new URL('../../tools/stores/configuration.mjs', import.meta.url));
    const none = spawnSync(process.execPath, [configuration, folder], { encoding: 'utf8' });
    assert.deepEqual([none.status, none.stderr], [1, `${join(folder, 'stores.json')} is missing: no stores run there\n`]);
  });
});
