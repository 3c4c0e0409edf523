// Who may do what: every route with every kind of credential, what nobody may learn, and which doors never open.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { everyCase } from '../support/cases.mjs';
import { expectProblem, get, sha256, waitFor } from '../support/http.mjs';
import { need, onFullDisk, run } from '../support/need.mjs';
import { temporaryFolder, useServer } from '../support/server.mjs';
import {
  askAs,
  assertTellsNothing,
  badCredentials,
  bearer,
  content,
  everything,
  examplesWith,
  hers,
  neighbour,
  newSecret,
  nobodys,
  openRoutes,
  plant,
  prompt,
  requestsOf,
  secondsFromNow,
  statusOf,
  stranger,
  token,
} from '../support/tokens.mjs';

const folder = temporaryFolder();
const data = join(folder, 'data');
const config = join(folder, 'segue.json');
const secrets = { alpha: newSecret(), beta: newSecret(), metrics: newSecret() };
const env = { SEGUE_TEST_ALPHA: secrets.alpha };
const embedded = { 'chunk-store': 'rocksdb:', catalogue: 'sqlite:', objects: 'file:' };
const tenants = {
  alpha: { ...embedded, 'jwt-secret': '${env:SEGUE_TEST_ALPHA}', policy: 'archive', 'archive-after': '1h' },
  beta: { ...embedded, 'jwt-secret': `\${file:${join(folder, 'beta')}}` },
};
writeFileSync(join(folder, 'beta'), `${secrets.beta}\n`);
writeFileSync(config, JSON.stringify({ 'metrics-token': secrets.metrics, 'log-level': 'debug', tenants }));

const routes = JSON.parse(execFileSync(need('segue'), ['routes', '--json'])).map((x) => ({
  ...x,
  name: `${x.method} ${x.pattern}`,
}));
const taught = (route) =>
  assert(examplesWith(hers)[route.name], `teach access.test.mjs this route, in support/tokens.mjs: ${route.name}`);
const inQuery = (path, credential) => `${path}${path.includes('?') ? '&' : '?'}access_token=${encodeURIComponent(credential)}`;

describe('a server with --auth and two tenants', { timeout: 120_000 }, () => {
  const keys = {};
  const ends = {}; // of credentials that end while they are used: how long after they should
  const keysCommand = (verb, tenant, ...args) =>
    run('segue', ['keys', verb, '--config', config, '--data', data, '--tenant', tenant, ...args], { env });
  const addKey = async (tenant, user, role) => {
    const { code, stdout, stderr } = await keysCommand('add', tenant, '--user', user, '--role', role);
    assert.equal(code, 0, stderr);
    return stdout.trim();
  };

  before(async () => {
    const early = await keysCommand('add', 'alpha', '--user', 'ann', '--role', 'writer');
    assert.equal(early.code, 1, 'a key for a catalogue that nobody has made');
    assert.match(early.stderr, /there is no catalogue .*alpha.catalogue.sqlite yet.*`segue migrate`/);
    assert(!existsSync(join(data, 'tenants')), 'and it does not make one');
    assert.equal((await run('segue', ['migrate', '--config', config, '--data', data], { env })).code, 0);
    keys.writer = await addKey('alpha', 'ann', 'writer'); // before the first start
  });
  const server = useServer({ args: ['--auth', '--config', config], data, env });
  before(async () => {
    keys.reader = await addKey('alpha', 'ann', 'reader'); // while the server runs
    keys.admin = await addKey('alpha', 'root', 'admin');
    keys[stranger] = await addKey('alpha', 'bob', 'writer');
    keys[neighbour] = await addKey('beta', 'ann', 'admin');
    await plant(server, keys);
    keys.removed = await addKey('alpha', 'carl', 'reader');
    assert.equal((await as(keys.removed, { path: '/v1/generations' })).status, 200);
    const { id } = JSON.parse((await keysCommand('ls', 'alpha', '--json')).stdout).keys.find(({ user }) => user === 'carl');
    assert.equal((await keysCommand('rm', 'alpha', id)).code, 0);
    ends.key = endOf(keys.removed, Date.now());
    const exp = secondsFromNow(3);
    ends.token = endOf(token({ tenant: 'alpha', sub: 'ann', exp }, secrets.alpha), exp * 1000);
  });
  const as = (key, request) => askAs(server, key, request);

  /// Uses the credential until it opens nothing any more, beside the tests.
  function endOf(credential, due) {
    const isRefused = async () => (await as(credential, { path: '/v1/generations' })).status === 401;
    const end = waitFor(isRefused, { deadline: 30_000, every: 200 }).then(() => Date.now() - due);
    end.catch(() => {}); // shown where it is awaited
    return end;
  }

  function assertUnauthenticated(reply, request, credential = 'none') {
    assert.equal(reply.status, 401, reply.text);
    assert.match(reply.headers['www-authenticate'] ?? 'no WWW-Authenticate', /^Bearer\b/);
    if (request.method !== 'HEAD') expectProblem(reply, 401, { code: 'unauthenticated' });
    assert(credential.length < 8 || !reply.text.includes(credential), 'the answer repeats what was shown');
    assertTellsNothing(reply, request);
  }

  /// Removes what somebody has made of their own.
  async function undo(key, request, reply) {
    if (request.method === 'PUT' && reply.status === 201) await as(key, { method: 'DELETE', path: request.path });
    if (request.method !== 'POST' || reply.status !== 200) return;
    await as(key, { method: 'DELETE', path: `/v1/generations/${reply.json.request_id}?purge=true` });
    if (key !== keys[neighbour]) return; // whose transfers must not have the numbers of hers
    for (const { id } of (await as(key, { path: '/v1/transfers' })).json.transfers)
      await waitFor(async () => (await as(key, { method: 'DELETE', path: `/v1/transfers/${id}` })).status === 200);
  }

  /// An answer without the names that were asked for.
  const disguised = ({ status, text }, n) =>
    Object.values(n).reduce((masked, name) => masked.replaceAll(new RegExp(`\\b${name}\\b`, 'g'), '…'), `${status} ${text}`);

  async function assertRefused(who, request, likewise) {
    const reply = await as(keys[who], request);
    const seen = `${who} is answered ${reply.status} ${reply.text}`;
    assertTellsNothing(reply, request);
    if (request.fair.includes(who)) {
      assert(reply.status < 300 || reply.status === request.ok, seen);
      await undo(keys[who], request, reply);
    } else if (request.forbidden) assert.equal(reply.status, 403, seen);
    else {
      assert([403, 404].includes(reply.status), seen);
      assert.equal(disguised(reply, hers), disguised(await as(keys[who], likewise), nobodys), `${who} learns that it is there`);
    }
  }

  it('asks the most of those who change things or oversee them, and nothing of nobody for few routes', () => {
    for (const { name, method, pattern, role } of routes)
      if (role === 'nobody')
        assert(openRoutes[name], `teach access.test.mjs this route, if it really is open to everybody: ${name}`);
      else if (/^.v1.(transfers|nodes|system)/.test(pattern)) assert.equal(role, 'admin', name);
      else assert.equal(role, method === 'GET' ? 'reader' : 'writer', name);
    for (const known of [...Object.keys(examplesWith(hers)), ...Object.keys(openRoutes)])
      assert(
        routes.some(({ name }) => name === known),
        `${known} is no route any more`,
      );
  });

  for (const route of routes.filter(({ role }) => role !== 'nobody'))
    it(`${route.name} does nothing for those who may not`, async () => {
      taught(route);
      const was = await everything(server, keys);
      const claims = { tenant: 'alpha', sub: 'ann', role: 'admin' };
      const other = { tenant: 'beta', secret: secrets.beta };
      const bad = badCredentials({ key: keys.writer, claims, secret: secrets.alpha, other });
      const basic = Buffer.from(`ann:${keys.writer}`).toString('base64');
      const tooSmall = { writer: ['reader'], admin: ['reader', 'writer', stranger] }[route.role] ?? [];
      const requests = requestsOf(route, hers);
      await everyCase(
        requests.map(({ method, path }, index) => [`${method} ${path}`, index]),
        async ([, index]) => {
          const request = requests[index];
          assertUnauthenticated(await as(undefined, request), request);
          for (const authorization of [`Basic ${basic}`, `Token ${keys.writer}`, keys.writer, 'Bearer']) {
            const headers = { ...request.headers, authorization }; // with which the query is not looked at
            assertUnauthenticated(
              await as(undefined, { ...request, path: inQuery(request.path, keys.admin), headers }),
              request,
            );
          }
          await everyCase(Object.entries(bad), async ([, credential]) => {
            assertUnauthenticated(await as(credential, request), request, credential);
            if (route.method !== 'GET') return;
            const shown = { ...request, path: inQuery(request.path, credential) };
            assertUnauthenticated(await as(undefined, shown), shown, credential);
          });
          if (route.method !== 'GET')
            // the query is for looking only
            assertUnauthenticated(await as(undefined, { ...request, path: inQuery(request.path, keys.admin) }), request);
          for (const who of tooSmall) {
            const reply = await as(keys[who], request);
            assert.equal(reply.status, 403, `${who}: ${reply.text}`);
            assertTellsNothing(reply, request);
          }
          const likewise = requestsOf(route, nobodys)[index];
          if (route.role !== 'admin') await assertRefused(stranger, request, likewise);
          await assertRefused(neighbour, request, likewise);
        },
      );
      let is;
      const unchanged = async () => JSON.stringify((is = await everything(server, keys))) === JSON.stringify(was);
      await waitFor(unchanged, { deadline: 5_000 }).catch(() => {});
      assert.deepEqual(is, was, 'nothing has changed, nothing is new');
    });

  for (const route of routes.filter(({ role }) => role === 'nobody'))
    it(`${route.name} is open, and tells nothing of tenants`, async () => {
      const [path, status] = openRoutes[route.name];
      const answers = [];
      for (const key of [undefined, 'x', ...Object.values(keys)]) {
        const reply = await as(key, { method: route.method, path });
        assert.equal(reply.status, status, reply.text);
        assertTellsNothing(reply, { path });
        answers.push(reply.text);
      }
      assert.equal(new Set(answers).size, 1, 'it is the same for everybody');
      if (route.name === 'GET /readyz') assert.deepEqual(JSON.parse(answers[0]), { ready: true });
      if (!/json|text.plain/.test((await get(server, path)).headers['content-type'] ?? '')) return;
      assert.doesNotMatch(answers[0], /alpha|beta/);
    });

  it('tells of itself to whoever has the token of the operator, which opens nothing of a tenant', async () => {
    for (const reply of [
      await get(server, '/metrics', bearer(secrets.metrics)),
      await get(server, inQuery('/metrics', secrets.metrics)),
    ]) {
      assert.equal(reply.status, 200, reply.text);
      assert.match(reply.text, /^segue_http_requests_total \d+$/m);
      assertTellsNothing(reply, {});
      assert.doesNotMatch(reply.text, /alpha|beta|\bann\b/);
    }
    const { checks } = (await as(secrets.metrics, { path: '/readyz' })).json;
    for (const tenant of ['alpha', 'beta']) assert(checks.includes(`${tenant} chunk store: ok`), checks.join());
    assert.equal((await as(secrets.metrics, { path: '/v1/nodes' })).status, 200);
    assert.match((await as(secrets.metrics, { path: '/v1/system' })).text, /"tenant alpha".*"tenant beta"/);
    assertUnauthenticated(await as(secrets.metrics, { path: '/v1/generations' }), {}, secrets.metrics);
  });

  it('shows the administrator all users of the tenant, and none of another', async () => {
    const waltz = { method: 'POST', path: '/v1/generations', body: { prompt: 'a waltz', generator: 'push' } };
    for (const who of [stranger, neighbour]) assert.equal((await as(keys[who], waltz)).status, 200);
    const users = async (who, query = '') => {
      const { generations } = (await as(keys[who], { path: `/v1/generations?limit=200${query}` })).json;
      return [...new Set(generations.map(({ user_id }) => user_id))].sort();
    };
    assert.deepEqual(await users('admin'), ['ann', 'bob']);
    assert.deepEqual(await users('admin', '&user_id=bob'), ['bob']);
    for (const [who, user] of [
      ['reader', 'ann'],
      [stranger, 'bob'],
      [neighbour, 'ann'],
    ])
      assert.deepEqual(await users(who), [user]);
    assertTellsNothing(await as(keys[neighbour], { path: '/v1/generations' }), {});
    const piece = { path: `/v1/generations/${hers.id}/audio` };
    const sums = [];
    for (const who of ['reader', 'writer', 'admin']) {
      const { body, headers } = await as(keys[who], piece);
      assert.match(headers.vary, /Authorization/, 'no cache shows it to another');
      sums.push(sha256(body));
    }
    assert.equal(new Set(sums).size, 1);
    const tree = (await as(keys[neighbour], { path: '/v1/system' })).text;
    assert.match(tree, /"tenant beta"/);
    assert.doesNotMatch(tree, /alpha/);
  });

  it('answers each route when it is asked for with what it needs, by header and, to look, by query', async () => {
    const signed = (role) =>
      token({ tenant: 'alpha', sub: role === 'admin' ? 'root' : 'ann', role, exp: secondsFromNow(60) }, secrets.alpha);
    const cases = routes
      .filter(({ role }) => role !== 'nobody')
      .flatMap((route) => requestsOf(route, hers).map((request) => ({ ...route, ...request })));
    await everyCase(cases, async ({ role, ...request }) => {
      const headers = { ...request.headers, ...bearer(keys[role]) };
      assert.equal(await statusOf(server, { ...request, headers }), request.ok, 'with a key');
      if (!['GET', 'HEAD'].includes(request.method)) return;
      for (const credential of [keys[role], signed(role)])
        assert.equal(
          await statusOf(server, { ...request, path: inQuery(request.path, credential) }),
          request.ok,
          'in the query',
        );
      assert.equal(
        await statusOf(server, { ...request, headers: { ...headers, ...bearer(signed(role)) } }),
        request.ok,
        'with a token',
      );
    });
  });

  it('keeps each tenant in a folder of its own', () => {
    const holds = (tenant, secret) =>
      readdirSync(join(data, 'tenants', tenant), { recursive: true, withFileTypes: true })
        .filter((file) => file.isFile())
        .some((file) => readFileSync(join(file.path, file.name)).includes(secret));
    for (const secret of [prompt, content, hers.id])
      assert.deepEqual([holds('alpha', secret), holds('beta', secret)], [true, false]);
  });

  it('lists keys without what is secret, and lets those that are removed or have expired open nothing', async () => {
    for (const args of [[], ['--json']]) {
      const { stdout, stderr } = await keysCommand('ls', 'alpha', ...args);
      for (const user of ['ann', 'bob', 'root']) assert.match(stdout, new RegExp(`\\b${user}\\b`));
      assert.doesNotMatch(stdout, /carl/);
      for (const key of Object.values(keys)) {
        const [secret, hash] = [key.split('_')[2], sha256(key)];
        for (const part of [secret, secret.slice(8, 24), hash, hash.slice(0, 16)])
          assert(!(stdout + stderr).includes(part), part);
      }
    }
    assert.match(JSON.stringify(await keysCommand('rm', 'alpha', 'deadbeef')), /"code":4,.*there is no key deadbeef; `segue keys ls`/);
    const late = { key: await ends.key, token: await ends.token };
    assert(late.key < 17_000, `a removed key worked for ${late.key} ms`);
    assert(late.token > -1_000 && late.token < 7_000, `a token worked ${late.token} ms longer than it should`);
  });

  it('keeps no key that nobody has seen', async () => {
    const add = ['keys', 'add', '--config', config, '--data', data, '--tenant', 'alpha', '--user', 'lost', '--role', 'reader'];
    const { code, stderr } = await run('segue', add, { env, through: onFullDisk });
    assert.equal(code, 1, stderr);
    assert.match(stderr, /No space left on device/);
    assert.doesNotMatch((await keysCommand('ls', 'alpha')).stdout, /\blost\b/);
  });

  it('has written no key, token or secret to its log', () => {
    assert.match(server.log, /generation completed/);
    for (const secret of [...Object.values(keys), ...Object.values(secrets), prompt, content])
      assert(!server.log.includes(secret));
    for (const key of Object.values(keys)) assert(!server.log.includes(key.split('_')[2]));
    assert.doesNotMatch(server.log, /eyJ/); // how tokens begin
  });
});
