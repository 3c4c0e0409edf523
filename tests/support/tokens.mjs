// Who comes to the door of a server with --auth: tokens (JWT), everything that must not open it, and Ann, a user with things of
// her own that others must not learn of, with requests that name them: examples of every route.
import assert from 'node:assert/strict';
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import WebSocket from 'ws';
import { ask, open, sha256, waitFor } from './http.mjs';

const digests = { HS256: 'sha256', HS384: 'sha384', HS512: 'sha512' };
const encode = (json) => Buffer.from(JSON.stringify(json)).toString('base64url');

/// A secret to sign tokens with.
export const newSecret = () => randomBytes(32).toString('hex');

/// Now and then, as tokens have it: seconds since 1970.
export const secondsFromNow = (seconds) => Math.floor(Date.now() / 1000) + seconds;

/// A token with these claims, `{tenant, sub, role, exp, nbf, …}`.
export function token(claims, secret, alg = 'HS256') {
  const signed = `${encode({ alg, typ: 'JWT' })}.${encode(claims)}`;
  return `${signed}.${createHmac(digests[alg], secret).update(signed).digest('base64url')}`;
}

/// A token whose header says that it needs no signature.
export const unsignedToken = (claims, alg = 'none', signature = '') =>
  `${encode({ alg, typ: 'JWT' })}.${encode(claims)}.${signature}`;

/// The header a client sends.
export const bearer = (credential) => ({ authorization: `Bearer ${credential}` });

/// Credentials that are good for nothing, by what is wrong with them. `key` and `claims` are good ones of a tenant whose secret is
/// `secret`; `other` is `{tenant, secret}` of another tenant.
export function badCredentials({ key, claims, secret, other }) {
  const [, tenant, random] = /^sk_([^_]+)_(.+)$/.exec(key);
  const good = token(claims, secret);
  const [head, body, signature] = good.split('.');
  const changed = encode({ ...claims, sub: `${claims.sub}a` });
  return {
    garbage: 'x',
    'two dots and nothing': '..',
    'a key nobody was given': `sk_${tenant}_${randomBytes(32).toString('hex')}`,
    'a key without its end': key.slice(0, -1),
    'the name of a key': random.slice(0, 8),
    'a key with another tenant in it': `sk_${other.tenant}_${random}`,
    'a key of no tenant': `sk__${random}`,
    'a token that has expired': token({ ...claims, exp: secondsFromNow(-10) }, secret),
    'a token that expires never in particular': token({ ...claims, exp: 'tomorrow' }, secret),
    'a token of tomorrow': token({ ...claims, nbf: secondsFromNow(86_400) }, secret),
    'a token without a signature': unsignedToken(claims),
    'a token without a signature, spelled otherwise': unsignedToken(claims, 'NONE'),
    'a token that needs none and has one': unsignedToken(claims, 'none', signature),
    'a token that has lost its signature': `${head}.${body}.`,
    'a token that was changed': `${head}.${changed}.${signature}`,
    'a token signed with an empty secret': token(claims, ''),
    'a token signed in another way': token(claims, secret, 'HS512'),
    "a token signed with the other tenant's secret": token(claims, other.secret),
    'a token for the other tenant': token({ ...claims, tenant: other.tenant }, secret),
    'a token of no tenant': token({ ...claims, tenant: undefined }, secret),
    'a token of nobody': token({ ...claims, sub: undefined }, secret),
    'a token with a role there is not': token({ ...claims, role: 'superuser' }, secret),
  };
}

// -- Ann

const word = () => randomBytes(9).toString('hex');
const names = (user) => ({
  user,
  ...{ id: randomUUID(), doomed: randomUUID(), spare: randomUUID(), pushed: randomUUID(), producer: word() },
  ...{ diary: `diaries/${word()}`, gone: `gone/${word()}`, old: `old/${word()}` },
  ...{ number: '900001', spareNumber: '900002' },
});

/// What requests name. Of hers, ids and the producer are known once `plant` has made it all; nobody has the others.
export const hers = names('ann');
export const nobodys = names('zoe');

export const prompt = `violets ${word()}`;
export const content = `dear ${word()}`;
const text = { 'content-type': 'text/plain' };
let sound;

/// Who asks for things of hers: they may see some of their own instead.
export const stranger = 'another user of the tenant';
export const neighbour = 'an administrator of the same name in another tenant';

/// A request as `key`, or without any. A live one is not followed: if it is granted, its status is all there is.
export async function askAs(server, key, { method = 'GET', path, headers, body, live }) {
  const options = { headers: { ...headers, ...(key && bearer(key)) }, body };
  const status = live && (await statusOf(server, { method, path, live, ...options }));
  if (status && status < 400) return { status, headers: {}, body: Buffer.alloc(0), text: 'it is granted' };
  return ask(server, method, path, options);
}

/// The status of the answer to a request, which may be a WebSocket or go on for ever.
export async function statusOf(server, { method, path, headers, body, live }) {
  if (headers?.upgrade) {
    const { authorization } = headers;
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}${path}`, { headers: authorization ? { authorization } : {} });
    const status = await new Promise((resolve, reject) => {
      socket.once('open', () => resolve(101));
      socket.once('unexpected-response', (_, { statusCode }) => resolve(statusCode));
      socket.once('error', reject);
    });
    socket.on('error', () => {}); // of being closed before it was open
    socket.terminate();
    return status;
  }
  if (!live) return (await ask(server, method, path, { headers, body })).status;
  const response = await open(server, method, path, { headers, body });
  response.destroy();
  return response.statusCode;
}

const stream = (path) => `/v1/stream/${path}`;
const forkOf = (path) => ({ 'stream-forked-from': stream(path) });
const key = randomBytes(16).toString('base64');
const handshake = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': key };

/// Requests for each route that name the things of `n`. `ok` is the status for the one whose they are (200), `fair`: who else may
/// ask it and is told about things of their own, `forbidden`: others are told that it is somebody's.
export const examplesWith = (n) => ({
  'POST /v1/generations': [
    { body: { prompt: 'a waltz', generator: 'push' }, fair: [stranger, neighbour] },
    { body: { prompt: 'a waltz', generator: 'push', user_id: n.user }, fair: [neighbour], forbidden: true },
  ],
  'GET /v1/generations': [
    { fair: [stranger, neighbour] },
    { query: `user_id=${n.user}`, fair: [neighbour] },
    { query: `after=${n.id}` },
  ],
  'GET /v1/generations/{id}': [{}],
  'DELETE /v1/generations/{id}': [
    { path: `/v1/generations/${n.doomed}` },
    { path: `/v1/generations/${n.doomed}`, query: 'purge=true', ok: 204 },
  ],
  'GET /v1/generations/{id}/audio': [{}, { query: 'offset=-1' }],
  'GET /v1/generations/{id}/download': [{}],
  'GET /v1/generations/{id}/events': [{}, { query: 'live=sse', live: true }],
  'GET /v1/generations/{id}/transfers': [{}],
  'GET /v1/users/{user}/generations/{id}/chunks': [{}, { path: `/v1/users/bob/generations/${n.id}/chunks`, ok: 404 }],
  ...Object.fromEntries(
    ['GET', 'PUT', 'POST', 'DELETE'].map((method) => [
      `${method} /v1/stream/__ds/{path*}`,
      [{ path: stream('__ds/x'), ok: 501, fair: [stranger, neighbour] }],
    ]),
  ),
  'GET /v1/stream/{path*}': [
    { path: stream(n.diary) },
    { path: stream(n.diary), query: 'offset=-1&live=long-poll', live: true },
    { path: stream(n.diary), query: 'offset=-1&live=sse', live: true },
    { path: stream(n.diary), query: 'offset=-1&live=websocket', live: true, headers: handshake, ok: 101 },
    ...['audio', 'events', 'transfers'].map((kind) => ({ path: stream(`generations/${n.id}/${kind}`) })),
    { path: stream(n.gone), ok: 410 },
  ],
  'PUT /v1/stream/{path*}': [
    { path: stream(n.diary), headers: text, forbidden: true, fair: [neighbour] },
    { path: stream(n.diary), headers: { 'content-type': 'text/html' }, forbidden: true, fair: [neighbour], ok: 409 },
    { path: stream(n.gone), headers: text, forbidden: true, fair: [neighbour], ok: 409 },
    { path: stream('fork/of/diary'), headers: forkOf(n.diary), ok: 201 },
    { path: stream('fork/of/sound'), headers: forkOf(`generations/${n.id}/audio`), ok: 201 },
    { path: stream('fork/of/gone'), headers: forkOf(n.gone), ok: 409 },
  ],
  'POST /v1/stream/{path*}': [
    { path: stream(n.diary), headers: text, body: 'more', ok: 204 },
    { path: stream(n.old), headers: { 'stream-closed': 'true' }, ok: 204 },
    { path: stream(n.gone), headers: text, body: 'more', ok: 410 },
    {
      path: stream(`generations/${n.pushed}/audio`),
      headers: { 'content-type': 'audio/mpeg', 'producer-id': n.producer, 'producer-epoch': '0', 'producer-seq': '0' },
      body: sound?.subarray(0, 384),
    },
  ],
  'DELETE /v1/stream/{path*}': [
    { path: stream(n.old), ok: 204 },
    { path: stream(n.gone), ok: 410 },
  ],
  'GET /v1/transfers': [{ fair: [neighbour] }, { query: 'state=dead', fair: [neighbour] }],
  'GET /v1/transfers/{number}': [{}],
  'POST /v1/transfers/{number}/retry': [{}],
  'DELETE /v1/transfers/{number}': [{ path: `/v1/transfers/${n.spareNumber}` }],
  'GET /v1/nodes': [{ fair: [neighbour] }],
  'GET /v1/system': [{ fair: [neighbour] }],
});

/// Routes that are open to everybody: an example of each, and what is answered without a credential.
export const openRoutes = {
  'GET /': ['/', 200],
  'GET /web/{name}': ['/web/index.html', 200],
  'OPTIONS /v1/{path*}': ['/v1/generations', 204],
  'GET /healthz': ['/healthz', 200],
  'GET /readyz': ['/readyz', 200],
  'GET /metrics': ['/metrics', 401],
};

/// The examples of a route as whole requests, each GET that is no live one also as HEAD.
export function requestsOf({ name, method, pattern }, n) {
  return examplesWith(n)[name].flatMap(({ path, query, ...example }) => {
    const target = path ?? pattern.replace(/\{(\w+)\}/g, (_, what) => n[what]);
    const request = { method, path: query ? `${target}?${query}` : target, ok: 200, fair: [], ...example };
    return method === 'GET' && !example.live ? [request, { ...request, method: 'HEAD' }] : [request];
  });
}

/// Makes everything of hers: pieces that are archived, one she pushes the sound of, streams, and one that is gone but for a fork.
export async function plant(server, keys) {
  const make = async (body) => (await askAs(server, keys.writer, { method: 'POST', path: '/v1/generations', body })).json;
  for (const what of ['id', 'doomed', 'spare']) hers[what] = (await make({ prompt, duration_s: 5 })).request_id;
  const pushed = await make({ prompt, generator: 'push' });
  Object.assign(hers, { pushed: pushed.request_id, producer: pushed.producer.id });
  const asked = async (request, status) => assert.equal((await askAs(server, keys.writer, request)).status, status);
  for (const path of [hers.diary, hers.gone, hers.old])
    await asked({ method: 'PUT', path: stream(path), headers: text, body: content }, 201);
  await asked({ method: 'PUT', path: stream(`kept/${word()}`), headers: forkOf(hers.gone) }, 201);
  await asked({ method: 'DELETE', path: stream(hers.gone) }, 204);
  const archived = await waitFor(async () => {
    const { transfers } = (await askAs(server, keys.admin, { path: '/v1/transfers' })).json;
    const told = await askAs(server, keys.writer, { path: `/v1/generations/${hers.id}/transfers` });
    const all = transfers.filter(({ kind, state }) => kind === 'evict' && state === 'waiting');
    return all.length === 3 && told.text.includes('evict') && all;
  });
  const numberOf = (id) => String(archived.find(({ path }) => path.includes(id)).id);
  Object.assign(hers, { number: numberOf(hers.id), spareNumber: numberOf(hers.spare) });
  sound = (await askAs(server, keys.writer, { path: `/v1/generations/${hers.id}/audio` })).body;
  assert(sound.length >= 64_000);
}

/// Everything there is, in both tenants.
export async function everything(server, keys) {
  const state = {};
  for (const admin of [keys.admin, keys[neighbour]]) {
    const [tenant] = (await askAs(server, admin, { path: '/v1/system' })).json.actors[0].children;
    const { children } = tenant.children.find(({ name }) => name === 'directory');
    const { generations } = (await askAs(server, admin, { path: '/v1/generations?limit=200' })).json;
    state[tenant.name] = { generations, streams: children.map(({ name }) => name).sort() };
  }
  const { transfers } = (await askAs(server, keys.admin, { path: '/v1/transfers' })).json;
  state.transfers = transfers.filter(({ path }) => [hers.id, hers.doomed, hers.spare].some((id) => path.includes(id)));
  const pieces = [hers.id, hers.doomed, hers.spare, hers.pushed].map((id) => `generations/${id}/audio`);
  const told = ['events', 'transfers'].map((kind) => `generations/${hers.id}/${kind}`);
  for (const path of [hers.diary, hers.old, hers.gone, ...pieces, ...told]) {
    const { status, headers, body } = await askAs(server, keys.writer, { path: stream(path) });
    state[path] = [status, headers['stream-next-offset'], headers['stream-closed'], sha256(body)];
  }
  return state;
}

/// Asserts that an answer holds nothing of hers but what the request itself named.
export function assertTellsNothing(reply, request) {
  const answer = Buffer.concat([Buffer.from(JSON.stringify(reply.headers)), reply.body]);
  const { user, number, spareNumber, ...planted } = hers;
  for (const secret of [prompt, content, ...Object.values(planted)])
    assert(JSON.stringify(request).includes(secret) || !answer.includes(secret), `tells ${secret}: ${reply.text}`);
  assert(!answer.includes(sound.subarray(20_000, 20_064)), 'sends her sound');
}

// -- Tenants on networked stores

/// What lies in the stores of a tenant, as those see it who look after them; but for leases, which are prolonged all the time.
/// `has` are credentials by store and tenant.
export async function insideOf({ postgres, redis, radosgw }, has, tenant) {
  const sums = `local all = {}
    for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
      if not key:find('lease') then table.insert(all, key .. ' ' .. redis.sha1hex(redis.call('DUMP', key))) end
    end
    table.sort(all)
    return all`;
  const listed = await radosgw.request('GET', `/${tenant}?list-type=2`, has.radosgw[tenant]);
  assert.equal(listed.status, 200, listed.body);
  const objects = [...listed.body.matchAll(/<Key>(.*?)<\/Key>.*?<ETag>(.*?)<\/ETag>/gs)];
  const { url } = has.postgres[tenant];
  return {
    generations: await postgres.sql('SELECT * FROM segue.generations ORDER BY request_id', url),
    transfers: await postgres.sql('SELECT path, kind, state FROM segue.transfers ORDER BY path', url),
    paths: await redis.command('HKEYS', `${tenant}:log:names`),
    keys: (await redis.command('EVAL', sums, '0', `${tenant}:*`)).split('\n').filter(Boolean),
    objects: objects.map(([, key, tag]) => `${key} ${tag}`).sort(),
  };
}
