// TLS at the edge: the same doors behind a certificate, and who does not get in.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomFillSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import tls from 'node:tls';
import WebSocket from 'ws';
import { octets } from '../support/api.mjs';
import { Broadcast, CrowdListener, dismiss, EventWire, WebSocketWire } from '../support/crowd.mjs';
import { dial, expectProblem, sha256, waitFor } from '../support/http.mjs';
import { need, run } from '../support/need.mjs';
import { refusedStart, Server, temporaryFolder, useServer } from '../support/server.mjs';

const folder = temporaryFolder();

/// A certificate that vouches for itself, and its key.
function certify(name) {
  const [certificate, key] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
  const wish = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', `/CN=${name}`];
  execFileSync(need('openssl'), ['req', ...wish, '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', certificate], {
    stdio: 'ignore',
  });
  return { certificate, key };
}

const ours = certify('ours');
const ca = readFileSync(ours.certificate);
const args = (...more) => ['--tls-certificate', ours.certificate, '--tls-key', ours.key, ...more];
const addressOf = (server) => ({ host: '127.0.0.1', port: server.port, ca });

/// Sends a request over TLS and resolves with the response as soon as its headers are here.
function open(server, method, path, { headers = {}, body, agent = false } = {}) {
  return new Promise((resolve, reject) => {
    const request = https.request({ ...addressOf(server), method, path, agent, headers });
    request.setTimeout(20_000, () => request.destroy(new Error(`${method} ${path}: silence`)));
    request.on('error', reject);
    request.on('response', resolve);
    request.end(body);
  });
}

async function ask(server, method, path, options) {
  const response = await open(server, method, path, options);
  const chunks = [];
  for await (const chunk of response) chunks.push(chunk);
  const [body, text] = [Buffer.concat(chunks), Buffer.concat(chunks).toString()];
  return { status: response.statusCode, headers: response.headers, body, text, get json() { return JSON.parse(text); } };
}

const get = (server, path, options) => ask(server, 'GET', path, options);

async function generate(server, wish) {
  const body = JSON.stringify({ prompt: 'slow jazz trio in D minor', ...wish });
  const reply = await ask(server, 'POST', '/v1/generations', { body, headers: { 'content-type': 'application/json' } });
  assert.equal(reply.status, 200, reply.text);
  return reply.json;
}

async function metric(server, name) {
  const { text } = await get(server, '/metrics');
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
}

const connectionsOf = (server, count, deadline = 10_000) =>
  waitFor(async () => (await metric(server, 'segue_http_connections')) === count, { deadline, what: `${count} connections` });
const listenersOf = (server, count) =>
  waitFor(async () => (await metric(server, 'segue_listeners')) === count, { deadline: 20_000, what: `${count} listeners at the tail` });
const mixed = (count) => Array.from({ length: count }, (_, at) => (at % 2 ? WebSocketWire : EventWire));
const memoryOf = ({ pid }) => 1024 * Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`))[1]);

/// A broadcast whose appends go through TLS.
class SecretBroadcast extends Broadcast {
  async create() {
    assert.equal((await ask(this.server, 'PUT', this.path, { headers: octets })).status, 201);
    return this;
  }

  async append(size) {
    const fresh = this.bytes.subarray(this.position, this.position + size);
    assert.equal(randomFillSync(fresh).length, size, 'the broadcast is longer than was foreseen');
    this.position += size;
    const reply = await ask(this.server, 'POST', this.path, { body: fresh, headers: octets });
    assert.equal(reply.status, 204, reply.text);
  }
}

/// One of the crowd, over TLS. `over`: a socket to speak through.
class SecretListener extends CrowdListener {
  hash = createHash('sha256');

  connect(over) {
    this.socket = tls.connect({ ...addressOf(this.broadcast.server), socket: over });
    this.socket.on('data', (bytes) => this.wire.take(bytes));
    this.socket.on('error', () => {}); // shows as `gone`
    this.socket.on('close', () => (this.gone = true));
    this.socket.write(this.request);
    return this;
  }

  heard(bytes) {
    this.hash.update(bytes);
    super.heard(bytes);
  }
}

/// One listener for each of `wires`.
async function crowd(broadcast, wires) {
  const all = wires.map((Wire) => new SecretListener(broadcast, Wire).connect());
  await waitFor(() => all.every(({ told }) => told > 0), { what: 'all to listen' });
  return all;
}

/// How OpenSSL's own client finds that a response has ended: `whole`, or `cut` when nobody said that this was the end.
async function endingOf(server, request) {
  const where = ['-connect', `127.0.0.1:${server.port}`, '-CAfile', ours.certificate, '-verify_return_error'];
  const { stdout, stderr } = await run('openssl', ['s_client', '-quiet', ...where], { input: request });
  assert.match(stdout, /^HTTP\/1\.[01] 200 /, stderr);
  return /unexpected eof/.test(stderr) ? 'cut' : 'whole';
}

/// The protocol that both sides agree on.
function agreed(server, options) {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ ...addressOf(server), ...options });
    socket.on('error', reject);
    socket.on('secureConnect', () => {
      resolve([socket.getProtocol(), socket.alpnProtocol]);
      socket.destroy();
    });
  });
}

describe('behind TLS', { timeout: 90_000 }, () => {
  const server = useServer({ args: args() });
  afterEach(dismiss);

  it('requests are answered as ever, one after the other on a connection', async (test) => {
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
    test.after(() => agent.destroy());
    const health = await get(server, '/healthz', { agent });
    assert.deepEqual([health.status, health.json], [200, { status: 'ok' }]);
    const [socket] = Object.values(agent.freeSockets).flat();
    expectProblem(await get(server, '/nothing', { agent }), 404);
    assert.equal(Object.values(agent.freeSockets).flat()[0], socket, 'it was kept');
    assert.equal((await ask(server, 'HEAD', '/', { agent })).headers['x-content-type-options'], 'nosniff');
  });

  it('the client may choose TLS 1.3 or 1.2, and gets HTTP/1.1', async () => {
    assert.deepEqual(await agreed(server, { ALPNProtocols: ['h2', 'http/1.1'] }), ['TLSv1.3', 'http/1.1']);
    assert.deepEqual(await agreed(server, { maxVersion: 'TLSv1.2' }), ['TLSv1.2', false]);
  });

  it('TLS 1.1, old ciphers and protocols that are not ours are refused', async () => {
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' };
    await assert.rejects(agreed(server, old), /protocol version/i);
    await assert.rejects(agreed(server, { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA' }), /handshake failure/i);
    await assert.rejects(agreed(server, { ALPNProtocols: ['h2'] }), /no application protocol/i);
    assert.equal((await get(server, '/healthz')).status, 200, 'others are still served');
  });

  it('who speaks plain HTTP, or nothing that is known, hears so at once', async () => {
    const begun = performance.now();
    const plain = await dial(server);
    plain.send(`GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n\r\n`);
    const reply = await plain.answer();
    assert.equal(reply.status, 400);
    assert.match(reply.text, /https/);
    const list = await run('segue', ['ls', '--server', `http://127.0.0.1:${server.port}`]);
    assert.equal(list.code, 2, list.stderr);
    assert.match(list.stderr, /^segue: HTTP status 400: This port speaks TLS: use https\.$/m);
    const noise = await dial(server);
    noise.send(Buffer.alloc(100, 1));
    assert.equal((await noise.answer()).status, 0);
    assert(performance.now() - begun < 3_000, `${performance.now() - begun} ms`);
  });

  it('a piece is made, heard while it is made, and the same afterwards', async () => {
    const { urls } = await generate(server, { duration_s: 6, pace: 'realtime' });
    const heard = await get(server, urls.audio);
    assert.equal(heard.status, 200);
    const whole = await get(server, urls.download);
    assert.equal(Number(whole.headers['content-length']), whole.body.length);
    assert.equal(sha256(heard.body), sha256(whole.body));
    const part = await get(server, urls.audio, { headers: { range: 'bytes=1000-1999' } });
    assert.deepEqual([part.status, sha256(part.body)], [206, sha256(whole.body.subarray(1000, 2000))]);
  });

  it('a WebSocket hears every byte, and is closed with 1000', async () => {
    const { urls } = await generate(server, { duration_s: 6, pace: 'realtime', seed: 7 });
    const socket = new WebSocket(`wss://127.0.0.1:${server.port}${urls.audio_stream}?live=websocket&offset=-1`, { ca });
    const hash = createHash('sha256');
    let told;
    socket.on('message', (data, isBinary) => (isBinary ? hash.update(data) : (told = JSON.parse(data))));
    const code = await new Promise((resolve, reject) => socket.on('close', resolve).on('error', reject));
    assert.equal(code, 1000);
    assert.equal(told.streamClosed, true);
    assert.equal(hash.digest('hex'), sha256((await get(server, urls.download)).body));
  });

  it('server-sent events come as they happen, and end', async () => {
    const { urls } = await generate(server, { duration_s: 5, pace: 'realtime' });
    const events = await open(server, 'GET', `${urls.events_stream}?live=sse&offset=-1`);
    assert.match(events.headers['content-type'], /^text\/event-stream\b/);
    let text = '';
    for await (const part of events.setEncoding('utf8')) text += part;
    assert(events.complete);
    assert.match(text, /"type":"started"[^]*"type":"completed"[^]*"streamClosed":true/);
  });

  it('fifty listeners hear every byte, and leave nothing behind', async () => {
    const broadcast = await new SecretBroadcast(server, '/v1/stream/tls/fifty').create();
    const all = await crowd(broadcast, mixed(50));
    for (let i = 0; i < 40; ++i) await broadcast.append(1 + i * 1700); // small and large ones, which are shared pages
    await broadcast.append(1 << 20);
    await broadcast.heardBy(all);
    for (const { hash } of all) assert.equal(hash.digest('hex'), broadcast.sum());
    dismiss();
    await listenersOf(server, 0);
    await connectionsOf(server, 1);
  });

  it('who stops reading holds up nobody, costs little memory, and gets every byte later', async () => {
    for (const path of ['/v1/stream/tls/fast', '/v1/stream/tls/faster']) { // so that the newest chunks in memory are not counted below
      const broadcast = await new SecretBroadcast(server, path).create();
      for (let i = 0; i < 40; ++i) await broadcast.append(512 << 10);
    }
    const broadcast = await new SecretBroadcast(server, '/v1/stream/tls/slow').create();
    const [slow, ...others] = await crowd(broadcast, mixed(10));
    const [memory, lagged] = [memoryOf(server), await metric(server, 'segue_listeners_lagged_total')];
    slow.socket.pause();
    for (let i = 0; i < 40; ++i) await broadcast.append(512 << 10);
    await broadcast.heardBy(others);
    assert((await metric(server, 'segue_listeners_lagged_total')) > lagged, 'its socket was full');
    assert(slow.position < broadcast.position);
    assert(memoryOf(server) - memory <= 16 << 20, `${memoryOf(server) - memory} bytes`);
    slow.socket.resume();
    await broadcast.heardBy([slow]);
    assert.equal(slow.hash.digest('hex'), broadcast.sum());
  });

  it('a client that leaves is noticed, however it leaves', async () => {
    const broadcast = await new SecretBroadcast(server, '/v1/stream/tls/leaves').create();
    await connectionsOf(server, 1);
    const waysToLeave = {
      'with a word': ({ socket }) => socket.end(),
      'without one': (_, raw) => raw.destroy(),
      'by a reset': (_, raw) => raw.resetAndDestroy(),
    };
    for (const [way, leave] of Object.entries(waysToLeave))
      for (const Wire of [WebSocketWire, EventWire]) {
        const raw = net.connect(server.port, '127.0.0.1');
        const listener = new SecretListener(broadcast, Wire).connect(raw);
        await waitFor(() => listener.told > 0, { what: 'it to listen' });
        await connectionsOf(server, 2);
        const begun = performance.now();
        leave(listener, raw);
        await connectionsOf(server, 1);
        assert(performance.now() - begun < 2_000, `${way}: ${performance.now() - begun} ms`);
      }
    assert.equal(await metric(server, 'segue_listeners'), 0);
  });

  it('the end of a whole response is said', async () => {
    const host = `Host: 127.0.0.1:${server.port}\r\n`;
    assert.equal(await endingOf(server, `GET /healthz HTTP/1.0\r\n${host}\r\n`), 'whole');
    const { urls } = await generate(server, { duration_s: 5 });
    assert.equal(await endingOf(server, `GET ${urls.audio} HTTP/1.0\r\n${host}\r\n`), 'whole');
  });
});

describe('behind TLS, with --stall-timeout 2s', { timeout: 60_000 }, () => {
  const stall = 2_000;
  const server = useServer({ args: args('--stall-timeout', `${stall}ms`) });
  afterEach(dismiss);

  it('a listener who takes nothing is cut off, and nobody else', async () => {
    const broadcast = await new SecretBroadcast(server, '/v1/stream/tls/stalled').create();
    const stopped = await crowd(broadcast, [WebSocketWire, EventWire]);
    const others = await crowd(broadcast, [EventWire, EventWire]); // which answer no pings, as our WebSockets would have to
    for (const { socket } of stopped) socket.pause();
    for (let i = 0; i < 30; ++i) await broadcast.append(512 << 10);
    await broadcast.heardBy(others);
    await listenersOf(server, others.length);
    await connectionsOf(server, others.length + 1, 4 * stall);
    await broadcast.append(1);
    await broadcast.heardBy(others);
  });
});

describe('behind TLS, with --request-timeout 2s and --connections 10', { timeout: 60_000 }, () => {
  const server = useServer({ args: args('--request-timeout', '2s', '--connections', '10') });

  it('who does not shake hands is gone in time, and counts until then', async () => {
    const begun = performance.now();
    const silent = await Promise.all(Array.from({ length: 10 }, () => dial(server)));
    for (const { send } of silent.slice(5)) send(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01])); // begins, and no more
    const refused = await dial(server);
    assert.equal((await refused.answer(1_000)).status, 0, 'one too many is closed at once');
    assert(performance.now() - begun < 1_500);
    for (const reply of await Promise.all(silent.map((connection) => connection.answer()))) assert.equal(reply.status, 0);
    const took = performance.now() - begun;
    assert(took >= 1_900 && took < 6_000, `gone after ${took} ms`);
    assert((await metric(server, 'segue_http_connections_refused_total')) >= 1);
    assert.equal(await metric(server, 'segue_http_connections'), 1);
  });
});

describe('a server behind TLS that goes', { timeout: 60_000 }, () => {
  for (const [way, go] of [
    ['is killed', (server) => server.kill()],
    ['stops', (server) => server.stop()],
  ])
    it(`and ${way} in the middle of a response is seen as an error`, async () => {
      const server = await new Server({ args: args() }).start();
      try {
        const { urls } = await generate(server, { duration_s: 60, pace: 'realtime' });
        const player = await open(server, 'GET', urls.audio);
        const ended = new Promise((resolve) => player.on('error', resolve).on('end', () => resolve('a clean end')));
        let heard = 0;
        player.on('data', (bytes) => (heard += bytes.length));
        const ending = endingOf(server, `GET ${urls.audio} HTTP/1.0\r\nHost: 127.0.0.1:${server.port}\r\n\r\n`);
        const socket = new WebSocket(`wss://127.0.0.1:${server.port}${urls.audio_stream}?live=websocket&offset=-1`, { ca });
        const closed = new Promise((resolve) => socket.on('error', () => {}).on('close', resolve));
        const first = new Promise((resolve) => socket.once('message', resolve));
        const silent = await dial(server);
        await Promise.all([first, connectionsOf(server, 4), waitFor(() => heard > 0, { what: 'the first sound' })]);
        const { ms } = await go(server);
        assert(ms < 4_000, `nobody holds it up: ${ms} ms`);
        assert.equal((await ended).code, 'ECONNRESET');
        assert.equal(await ending, 'cut');
        assert.equal(await closed, way === 'stops' ? 1001 : 1006);
        silent.socket.destroy();
      } finally {
        await server.dispose();
      }
    });
});

describe('a start with TLS', { concurrency: 2, timeout: 60_000 }, () => {
  const other = certify('other');
  const start = (certificate, key) =>
    refusedStart(['--listen', '127.0.0.1:0', '--data', temporaryFolder(), '--tls-certificate', certificate, '--tls-key', key]);

  it('whose key belongs to another certificate is refused', async () => {
    const output = await start(ours.certificate, other.key);
    assert.match(output, /does not belong/);
    assert(output.includes(ours.certificate) && output.includes(other.key), output);
  });

  it('whose files are missing, empty, mixed up or locked is refused, and the file named', async () => {
    const [missing, empty, locked] = ['missing', 'empty', 'locked'].map((name) => join(folder, name));
    writeFileSync(empty, '');
    execFileSync(need('openssl'), ['ec', '-in', ours.key, '-aes128', '-passout', 'pass:secret', '-out', locked], { stdio: 'ignore' });
    for (const [certificate, key, blamed, why] of [
      [missing, ours.key, missing, /No such file/],
      [ours.certificate, missing, missing, /No such file/],
      [empty, ours.key, empty, /no certificate in PEM form/],
      [ours.certificate, empty, empty, /no private key in PEM form/],
      [ours.key, ours.certificate, ours.key, /no certificate in PEM form/],
      [ours.certificate, locked, locked, /pass phrase/],
    ]) {
      const output = await start(certificate, key);
      assert.match(output, why);
      assert(output.includes(blamed), output);
    }
  });

  it('and fewer files than its connections need says how many each needs', async () => {
    const few = new Server({ args: args('--connections', '1000'), through: ['prlimit', '--nofile=2000'] });
    try {
      await few.start();
      assert.match(few.log, /few_descriptors: .* 2000 files, .*--connections 1000, each of which needs up to 4 with TLS;/);
      await few.stop();
    } finally {
      await few.dispose();
    }
  });
});
