// Listeners who are slow, stop, vanish, or come all at once: each costs the others nothing, and itself no byte.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout as moment } from 'node:timers/promises';
import WebSocket from 'ws';
import { generate, metricsOf } from '../support/api.mjs';
import { Broadcast, CrowdListener, dismiss, EventWire, percentile, WebSocketWire } from '../support/crowd.mjs';
import { FarNetwork } from '../support/far_network.mjs';
import { dial, expectProblem, get, open, sha256, waitFor } from '../support/http.mjs';
import { by, startModel } from '../support/model.mjs';
import { useServer } from '../support/server.mjs';

const mebibyte = 1 << 20;
const metric = async (server, name) => (await metricsOf(server)).samples[name];
const listening = (listeners) =>
  waitFor(() => listeners.every(({ told }) => told > 0), {
    deadline: 20_000,
    what: () => `all to listen; ${listeners.filter(({ told }) => told > 0).length} of ${listeners.length} do`,
  });
const gathered = async (listeners) => (await listening(listeners), listeners);
/// `count` listeners, every third by server-sent events.
const crowd = (count, broadcast) =>
  gathered(Array.from({ length: count }, (_, at) => new CrowdListener(broadcast, at % 3 ? WebSocketWire : EventWire).connect()));
const descriptorsOf = ({ pid }) => readdirSync(`/proc/${pid}/fd`).length;
const memoryOf = ({ pid }) => 1024 * Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`))[1]);
const listenersOf = (server, count) =>
  waitFor(async () => (await metric(server, 'segue_listeners')) === count, { deadline: 20_000, what: `${count} listeners at the tail` });

describe('one listener in a thousand', { timeout: 120_000 }, () => {
  const server = useServer();
  afterEach(dismiss);

  it('who stops reading does not hold up the others, costs little memory, and gets every byte later', async (test) => {
    const broadcast = await new Broadcast(server, '/v1/stream/slow/thousand').create();
    const slow = new CrowdListener(broadcast).connectThinly();
    const others = await crowd(999, broadcast);
    await listening([slow]);
    await broadcast.play([slow, ...others], { count: 20 }); // the first frames warm up both sides
    const calm = await broadcast.play([slow, ...others], { count: 100 });
    const [memory, lagged] = [memoryOf(server), await metric(server, 'segue_listeners_lagged_total')];

    slow.process.kill('SIGSTOP');
    const beside = await broadcast.play(others, { count: 140 });
    const grown = memoryOf(server) - memory;
    assert((await metric(server, 'segue_listeners_lagged_total')) > lagged, 'its socket was full');
    assert(slow.position < broadcast.position);
    slow.process.kill('SIGCONT');
    await broadcast.heardBy([slow]);

    const told = (delays) => [0.5, 0.99].map((share) => `p${share * 100} ${percentile(delays, share).toFixed(1)} ms`).join(', ');
    test.diagnostic(`everybody reads: ${told(calm)}; one does not: ${told(beside)}; memory grew by ${(grown / mebibyte).toFixed(1)} MiB`);
    assert.equal(beside.length, 140 * 999);
    assert(percentile(beside, 0.99) <= 3 * percentile(calm, 0.99) + 100, `${told(calm)}; then ${told(beside)}`);
    assert(grown <= 32 * mebibyte, `${grown} bytes`);
    assert.equal(slow.sum, broadcast.sum(), 'every byte, none twice');
    dismiss();
    await listenersOf(server, 0);
  });

  it('who reads a few hundred bytes a second does not hold up the others, and gets what it reads in order', async () => {
    const broadcast = await new Broadcast(server, '/v1/stream/slow/drop_by_drop').create();
    const slow = new CrowdListener(broadcast, EventWire).connectThinly({ rate: 400 });
    const others = await crowd(30, broadcast);
    await listening([slow]);
    const lagged = await metric(server, 'segue_listeners_lagged_total');
    for (let i = 0; i < 20; ++i) await broadcast.append(100);
    for (let i = 0; i < 16; ++i) await broadcast.append(256 << 10); // more than its socket takes
    await broadcast.heardBy(others);
    assert((await metric(server, 'segue_listeners_lagged_total')) > lagged, 'its socket is full');
    const calm = await broadcast.play(others, { count: 60 });
    assert(percentile(calm, 0.99) < 1_000, `p99 ${percentile(calm, 0.99)} ms`);
    await waitFor(() => slow.position >= 500, { what: 'the slow one to have read something' });
    assert(!slow.gone && slow.position < broadcast.position);
    assert.equal(slow.sum, broadcast.sum(slow.position));
    dismiss();
    await listenersOf(server, 0);
  });
});

describe('two thousand', { timeout: 60_000 }, () => {
  const server = useServer();
  afterEach(dismiss);

  it('who connect at once are all served, and leave nothing behind', async () => {
    const broadcast = await new Broadcast(server, '/v1/stream/slow/at_once').create();
    await broadcast.append(1);
    await moment(500); // until the connections of this test's own requests are closed
    const before = descriptorsOf(server);
    const all = await gathered(Array.from({ length: 2000 }, () => new CrowdListener(broadcast).connect()));
    assert.equal(await metric(server, 'segue_listeners'), 2000);
    await broadcast.append(8 << 10);
    await broadcast.heardBy(all);
    assert.equal(await metric(server, 'segue_http_connections_refused_total'), 0);
    dismiss();
    await listenersOf(server, 0);
    // The connection of whoever asks for the number is one as well.
    await waitFor(async () => (await metric(server, 'segue_http_connections')) === 1, { what: 'all connections to be closed' });
    await waitFor(() => descriptorsOf(server) === before, { what: () => `${before} descriptors, not ${descriptorsOf(server)}` });
  });
});

describe('a server that may open 256 files, and could have more', { timeout: 60_000 }, () => {
  const server = useServer({ through: ['prlimit', '--nofile=256:8192'] });
  afterEach(dismiss);

  it('takes five hundred connections', async () => {
    const broadcast = await new Broadcast(server, '/v1/stream/slow/low_limit').create();
    const all = await crowd(500, broadcast);
    await broadcast.append(8 << 10);
    await broadcast.heardBy(all);
  });
});

describe('a request that drips in', { timeout: 60_000 }, () => {
  const server = useServer({ args: ['--request-timeout', '2s'] });

  it('is cut off with 408 in time, and others are served meanwhile', async (test) => {
    const dripping = await Promise.all(Array.from({ length: 50 }, () => dial(server)));
    const begun = performance.now();
    const letters = [...`GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nX: ${'x'.repeat(1000)}`];
    const drip = setInterval(() => {
      const letter = letters.shift();
      for (const { send } of dripping) send(letter);
    }, 50);
    test.after(() => clearInterval(drip));
    const answers = dripping.map((connection) => connection.answer());
    let slowest = 0;
    while (performance.now() - begun < 1_500) {
      const asked = performance.now();
      assert.equal((await get(server, '/healthz')).status, 200);
      slowest = Math.max(slowest, performance.now() - asked);
    }
    for (const reply of await Promise.all(answers)) expectProblem(reply, 408, { code: 'too_slow', says: /2 seconds/ });
    const took = performance.now() - begun;
    assert(took >= 1_900 && took < 6_000, `cut off after ${took} ms`);
    assert(slowest < 1_000, `another request took ${slowest} ms`);
    await waitFor(async () => (await metric(server, 'segue_http_connections')) === 1, { what: 'all of them to be gone' });
  });
});

describe('with --stall-timeout 2s, a listener', { timeout: 60_000 }, () => {
  const stall = 2_000;
  const server = useServer({ args: ['--stall-timeout', `${stall}ms`] });
  const [path, busyPath] = ['/v1/stream/slow/quiet', '/v1/stream/slow/busy'];

  /// A WebSocket that listens to the quiet stream.
  const webSocket = (options) =>
    new Promise((resolve) => {
      const socket = new WebSocket(`ws://127.0.0.1:${server.port}${path}?live=websocket&offset=now`, options);
      socket.on('error', () => {});
      socket.once('message', () => resolve(socket));
    });

  before(() => new Broadcast(server, path).create());
  afterEach(dismiss);

  it('who neither reads nor answers pings is cut off, as is one who reads and does not answer', async () => {
    const deaf = await webSocket();
    const mute = await webSocket({ autoPong: false });
    deaf.pause();
    await listenersOf(server, 2);
    const begun = performance.now();
    await listenersOf(server, 0);
    const took = performance.now() - begun;
    assert(took < 3 * stall, `counted off after ${took} ms`);
    await waitFor(() => mute.readyState === WebSocket.CLOSED, { what: 'the one who reads to see it' });
    deaf.resume();
    await waitFor(() => deaf.readyState === WebSocket.CLOSED, { what: 'the other one to see it when it reads again' });
  });

  it('who hears nothing for a long time, and answers pings, stays', async (test) => {
    const healthy = await webSocket();
    const events = await open(server, 'GET', `${path}?live=sse&offset=now`);
    test.after(() => (healthy.terminate(), events.destroy()));
    let ended = false;
    events.resume().on('close', () => (ended = true));
    await listenersOf(server, 2);
    for (const end = Date.now() + 4 * stall; Date.now() < end; await moment(100)) {
      assert.equal(healthy.readyState, WebSocket.OPEN);
      assert(!ended, 'server-sent events go on');
    }
    assert.equal(await metric(server, 'segue_listeners'), 2);
  });

  it('who takes nothing while there is something to take is cut off, and nobody else', async () => {
    const broadcast = await new Broadcast(server, busyPath).create();
    const others = [new CrowdListener(broadcast, EventWire).connect(), new CrowdListener(broadcast, EventWire).connect()];
    const stopped = [WebSocketWire, EventWire].map((Wire) => new CrowdListener(broadcast, Wire).connectThinly());
    await listening([...others, ...stopped]);
    const lagged = await metric(server, 'segue_listeners_lagged_total');
    const connections = await metric(server, 'segue_http_connections');
    for (const { process } of stopped) process.kill('SIGSTOP');
    for (let i = 0; i < 16; ++i) await broadcast.append(256 << 10);
    await broadcast.heardBy(others);
    assert((await metric(server, 'segue_listeners_lagged_total')) >= lagged + 2, 'their sockets were full');
    const cut = async () => (await metric(server, 'segue_http_connections')) === connections - stopped.length;
    await waitFor(cut, { deadline: 4 * stall, what: 'the stopped ones to be cut off' });
    await broadcast.append(1);
    await broadcast.heardBy(others);
  });
});

describe('with --listeners-bytes 1MiB, slow listeners', { timeout: 60_000 }, () => {
  const server = useServer({ args: ['--listeners-bytes', '1MiB'] });
  afterEach(dismiss);

  it('are cut off when too much waits for all of them, and come back where they were', async () => {
    const broadcast = await new Broadcast(server, '/v1/stream/slow/bounded').create();
    const others = await crowd(3, broadcast);
    const stopped = Array.from({ length: 30 }, () => new CrowdListener(broadcast).connectThinly());
    await listening(stopped);
    for (const { process } of stopped) process.kill('SIGSTOP');
    for (let i = 0; i < 16; ++i) {
      await broadcast.append(256 << 10);
      assert((await metric(server, 'segue_listener_bytes_waiting')) <= mebibyte);
    }
    await broadcast.heardBy(others);
    const cut = await waitFor(() => metric(server, 'segue_listeners_cut_total'), { what: 'some to be cut' });
    assert(cut < stopped.length, `${cut} were cut: as many as needed`);
    await listenersOf(server, others.length);
    const connections = await metric(server, 'segue_http_connections');
    assert(connections <= others.length + stopped.length - cut + 1, `${connections} connections`);

    const returned = await gathered([new CrowdListener(broadcast, WebSocketWire, { from: 0 }).connect()]);
    await broadcast.heardBy([...returned, ...others]);
    dismiss();
    await waitFor(async () => (await metric(server, 'segue_listener_bytes_waiting')) === 0, { what: 'nothing to wait any more' });
  });
});

describe('with --stall-timeout 4s, a client whose cable is pulled', { timeout: 60_000 }, async () => {
  const stall = 4_000;
  const silent = await startModel((_, response) => {
    response.writeHead(200, { 'Content-Type': 'audio/L16;rate=48000' });
    response.write(Buffer.alloc(96_000));
  });
  const server = useServer({ host: '0.0.0.0', ...by(silent, '--insecure', '--stall-timeout', `${stall}ms`) });
  let network;
  before(() => (network = new FarNetwork()));
  afterEach(dismiss);
  after(() => network?.remove());

  it('is counted off, whatever it listened to and although nothing is sent', async () => {
    const broadcast = await new Broadcast(server, '/v1/stream/slow/far').create();
    const { urls } = await generate(server, { duration_s: 5 });
    const far = { host: network.address, through: network.through };
    const listeners = [WebSocketWire, EventWire].map((Wire) => new CrowdListener(broadcast, Wire).connectThinly(far));
    const player = new CrowdListener(broadcast);
    Object.assign(player, { request: `GET ${urls.audio} HTTP/1.1\r\nHost: far\r\n\r\n`, wire: { take: () => (player.told = 1) } });
    listeners.push(player.connectThinly(far));
    const close = await crowd(1, broadcast);
    await listening(listeners);
    await broadcast.append(1);
    await broadcast.heardBy([...listeners.slice(0, 2), ...close]);
    await listenersOf(server, 4);

    network.cut();
    const begun = performance.now();
    for (const listener of listeners) listener.leave(); // nothing of that arrives
    await listenersOf(server, 1);
    await waitFor(async () => (await metric(server, 'segue_http_connections')) === 2, { what: 'their connections to be closed' });
    const took = performance.now() - begun;
    assert(took < 3 * stall, `counted off after ${took} ms`);
    await broadcast.append(1);
    await broadcast.heardBy(close);
  });
});
