// What happens to listeners and producers on edge nodes when an edge, the owner or the link between them dies, hangs, is cut or is
// slow: no byte is lost, doubled or another stream's, and nobody who could be kept is sent away.
// CHAOS_STOP_S sets for how long processes are stopped (3; links give up after 2, or CHAOS_LINK_TIMEOUT). CHAOS_ROUNDS: rounds of
// random faults (1).
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout as moment } from 'node:timers/promises';
import {
  append,
  catchUp,
  completed,
  createStream,
  generate,
  hasSound,
  metricsOf,
  octets,
  offsetOf,
  soundOf,
  until,
} from '../support/api.mjs';
import { ask, expectProblem, get, sha256, waitFor } from '../support/http.mjs';
import { ByteEventListener, ProgressiveListener, WebSocketListener } from '../support/listeners.mjs';
import { isReady, Nodes, nodesOf } from '../support/nodes.mjs';
import { chosenSeed, numberFrom } from '../support/numbers.mjs';
import { randomFrom } from '../support/random.mjs';

const stopped = numberFrom('CHAOS_STOP_S', 3) * 1000;
const rounds = numberFrom('CHAOS_ROUNDS', 1);
const seed = chosenSeed();
const { between, oneOf } = randomFrom(seed);

const wish = { prompt: 'lofi beat, 80 bpm, rainy', pace: 'realtime' };

/// For how long listeners may hear nothing: several stops, one after the other, with the way back to each other between them.
const outage = 30_000 + 4 * stopped;

/// Listeners through three doors of one server.
const listenersAt = (server, urls) =>
  [
    new ProgressiveListener(server, urls.audio),
    new WebSocketListener(server, urls.audio_stream),
    new ByteEventListener(server, urls.audio_stream),
  ].map((listener) => Object.assign(listener, { deadline: outage }));

/// A piece that is being made, heard through every edge; `during` is what goes wrong meanwhile. Returns the listeners once they
/// have everything, which is compared.
async function hearThrough(nodes, during, { duration_s = 6, number = between(0, 2 ** 31), at = nodes.edges } = {}) {
  const { request_id: id, urls } = await generate(nodes.owner, { ...wish, duration_s, seed: number });
  const listeners = at.flatMap((edge) => listenersAt(edge, urls));
  const followed = Promise.all(listeners.map((listener) => listener.follow()));
  followed.catch(() => {}); // shown where it is awaited
  await waitFor(() => listeners.every(({ position }) => position > 0), { what: 'everybody to hear something' });
  await during({ id, urls, listeners });
  await followed;
  await waitFor(() => isReady(nodes.owner), { what: 'the owner to be ready' });
  await until(nodes.owner, id, completed, { deadline: outage });
  const sound = await soundOf(nodes.owner, id);
  for (const { server, path, bytes, complaints } of listeners) {
    assert.equal(sha256(bytes), sha256(sound), `${path} at port ${server.port}: ${bytes.length} of ${sound.length} bytes`);
    assert.deepEqual(complaints, []);
  }
  return { id, listeners, sound };
}

const nobodyWasCut = (listeners) =>
  assert.deepEqual(
    listeners.filter(({ cuts }) => cuts > 0).map(({ path }) => path),
    [],
  );

async function stopFor(server, ms) {
  process.kill(server.pid, 'SIGSTOP');
  await moment(ms);
  process.kill(server.pid, 'SIGCONT');
}

const eachRound = 60_000 + 2 * outage;

describe(`what edge nodes live through, CHAOS_SEED=${seed}`, { timeout: 300_000 + 4 * stopped + rounds * eachRound }, () => {
  const nodes = new Nodes({ gated: true, patience: `${outage / 1000}s` });
  before(() => nodes.start());
  afterEach(async (test) => {
    if (!test.passed) for (const { log } of nodes.all) console.log(log.slice(-5000));
    for (const gate of nodes.gates) await gate.pass();
    await nodes.joined(nodes.edges, outage);
  });
  after(async () => {
    try {
      await nodes.stop();
    } finally {
      await nodes.dispose();
    }
  });

  it('an edge is killed: its listeners go on at another node where they were', async () => {
    const [dying, other] = nodes.edges;
    const { listeners } = await hearThrough(nodes, async ({ listeners }) => {
      await dying.kill();
      await waitFor(() => listeners.every(({ server, down }) => server !== dying || down), { what: 'its listeners to notice' });
      for (const listener of listeners) if (listener.server === dying) listener.server = other;
      await waitFor(async () => (await nodesOf(nodes.owner)).nodes.length === 1, { what: 'the owner to notice' });
    });
    assert.equal(listeners.filter(({ cuts }) => cuts === 1).length, 3);
    await dying.start();
    await nodes.joined();
  });

  it('the owner is killed: the edges keep their listeners, who hear the rest when it is back', async () => {
    const { listeners } = await hearThrough(nodes, async () => {
      await nodes.owner.kill();
      await waitFor(async () => (await get(nodes.edges[0], '/readyz')).status === 503, { what: 'an edge to notice' });
      expectProblem(await get(nodes.edges[0], '/v1/stream/unknown?offset=-1'), 503);
      await moment(500);
      await nodes.owner.start();
    });
    nobodyWasCut(listeners);
  });

  it('the owner is stopped for a while and goes on', async () => {
    const { listeners } = await hearThrough(nodes, () => stopFor(nodes.owner, stopped));
    nobodyWasCut(listeners);
  });

  it('an edge is stopped for a while and goes on', async () => {
    const { listeners } = await hearThrough(nodes, () => stopFor(nodes.edges[0], stopped), { duration_s: stopped / 1000 + 4 });
    nobodyWasCut(listeners);
  });

  it('the link is cut, hangs, breaks in the middle of a message and is slow', async () => {
    const [gate] = nodes.gates;
    const [edge] = nodes.edges;
    const reconnects = async () => (await metricsOf(edge)).samples.segue_link_reconnects_total;
    const { listeners } = await hearThrough(
      nodes,
      async ({ listeners }) => {
        const goesOn = async (what) => {
          const before = listeners.map(({ position }) => position);
          await waitFor(() => listeners.every(({ position, done }, i) => done || position > before[i]), {
            what: `sound after the link ${what}`,
          });
        };
        /// The edge loses its link by this, however long it takes to notice, and is given it back.
        const breaks = async (what, fault) => {
          const before = await reconnects();
          await fault();
          await waitFor(async () => (await reconnects()) > before, { deadline: 30_000, what: `the edge to notice that its link ${what}` });
          await gate.pass();
          await goesOn(what);
        };
        await breaks('was cut', () => gate.refuse());
        for (const direction of ['toServer', 'toClient'])
          await breaks(`broke ${direction}`, () => gate.cutAfter(between(1, 1_000), direction));
        const before = await reconnects();
        await gate.slow(40_000);
        await goesOn('was slow');
        assert.equal(await reconnects(), before, 'a slow link is a link');
        await breaks('hung', () => gate.hang());
      },
      { duration_s: 14 },
    );
    nobodyWasCut(listeners);
  });

  it('who comes from a node that is ahead is not refused by one that lags', async () => {
    const [edge] = nodes.edges;
    const [gate] = nodes.gates;
    const path = `/v1/stream/faults/ahead-${seed}`;
    await createStream(nodes.owner, path);
    await append(nodes.owner, path, 'first');
    const listener = new WebSocketListener(edge, path);
    const session = listener.session().catch(() => {});
    await waitFor(() => listener.position === 5);
    await gate.slow(20_000);
    await append(nodes.owner, path, 'x'.repeat(60_000)); // three seconds away from the edge, more than links are silent
    const { status, text } = await get(edge, `${path}?offset=${offsetOf(60_005)}`);
    assert.equal(status, 200, text);
    expectProblem(await get(edge, `${path}?offset=${offsetOf(60_006)}`), 400, { code: 'bad_offset' });
    await waitFor(() => listener.position === 60_005, { what: 'the listener to hear the rest' });
    listener.leave();
    await session;
  });

  it('producers at an edge whose link breaks again and again store everything once', async () => {
    const [edge] = nodes.edges;
    const [gate] = nodes.gates;
    const path = `/v1/stream/faults/produced-${seed}`;
    await createStream(nodes.owner, path);
    let over = false;
    const breaking = (async () => {
      while (!over) {
        await gate.cutAfter(between(1, 6_000), oneOf(['toServer', 'toClient']));
        await moment(between(50, 400));
      }
      await gate.pass();
    })();
    const reconnects = async () => (await metricsOf(edge)).samples.segue_link_reconnects_total;
    const bodies = [];
    const before = await reconnects();
    for (const end = Date.now() + 20_000; Date.now() < end;) {
      const seq = bodies.length;
      if (seq % 20 === 0 && seq >= 100 && (await reconnects()) >= before + 5) break;
      const body = `entry ${seq} ${'x'.repeat(between(0, 400))};`;
      bodies.push(body);
      const headers = { ...octets, 'producer-id': 'p', 'producer-epoch': '0', 'producer-seq': String(seq) };
      await waitFor(async () => [200, 204].includes((await ask(edge, 'POST', path, { body, headers })).status), {
        deadline: 20_000,
        what: `append ${seq} to be acknowledged`,
      });
    }
    over = true;
    await breaking;
    console.log(`${bodies.length} appends while the link broke ${(await reconnects()) - before} times`);
    assert((await reconnects()) >= before + 5);
    assert.equal((await catchUp(nodes.owner, path)).bytes.toString(), bodies.join(''));
  });

  it('a stream that is removed and made anew behind a cut link is not taken for the old one', async () => {
    const [edge] = nodes.edges;
    const [gate] = nodes.gates;
    const path = `/v1/stream/faults/anew-${seed}`;
    await createStream(nodes.owner, path);
    await append(nodes.owner, path, 'old bytes');
    const listener = new WebSocketListener(edge, path);
    const session = listener.session().catch(() => {}); // one connection, which is not made again
    await waitFor(() => listener.position === 9);
    await gate.refuse();
    assert.equal((await ask(nodes.owner, 'DELETE', path)).status, 204);
    await createStream(nodes.owner, path);
    await append(nodes.owner, path, 'quite other bytes, and more of them');
    await gate.pass();
    await session;
    assert.equal(listener.bytes.toString(), 'old bytes');
    assert(!listener.done);
    await nodes.joined();
    await waitFor(async () => (await catchUp(edge, path)).bytes.toString() === 'quite other bytes, and more of them');
  });

  for (let round = 1; round <= rounds; ++round)
    it(`random faults, round ${round}`, { timeout: eachRound }, async () => {
      const { listeners } = await hearThrough(
        nodes,
        async () => {
          for (let i = 0; i < 3; ++i) {
            const which = between(0, 1);
            const gate = nodes.gates[which];
            const fault = oneOf(['kill owner', 'stop owner', 'stop edge', 'cut', 'hang', 'break']);
            console.log(`${fault} ${which}`);
            if (fault === 'kill owner') await nodes.owner.kill().then(() => nodes.owner.start());
            if (fault === 'stop owner') await stopFor(nodes.owner, between(100, stopped));
            if (fault === 'stop edge') await stopFor(nodes.edges[which], between(100, stopped));
            if (fault === 'cut') await gate.refuse();
            if (fault === 'hang') await gate.hang();
            if (fault === 'break') await gate.cutAfter(between(1, 20_000), oneOf(['toServer', 'toClient']));
            await moment(between(100, 1_000));
            await gate.pass();
          }
        },
        { duration_s: 8 },
      );
      nobodyWasCut(listeners);
    });
});

describe('an owner that does not come back in time', { timeout: 60_000 }, () => {
  const nodes = new Nodes({ edges: 1, patience: '1s' });
  before(() => nodes.start());
  after(() => nodes.dispose());

  it('its listeners are cut off, not told that it was all, and go on with their offset when it is back', async () => {
    const [edge] = nodes.edges;
    const { request_id: id, urls } = await generate(nodes.owner, { ...wish, duration_s: 6 });
    await until(edge, id, hasSound);
    const listeners = listenersAt(edge, urls);
    edge.ready = false; // as long as the owner is away, errors are what is to be expected
    const followed = Promise.all(listeners.map((listener) => listener.follow()));
    followed.catch(() => {});
    await waitFor(() => listeners.every(({ position }) => position > 0));
    await nodes.owner.kill();
    await waitFor(() => listeners.every(({ cuts }) => cuts > 0), { deadline: 10_000, what: 'everybody to be cut off' });
    assert(listeners.every(({ done }) => !done));
    assert.equal(listeners.find((listener) => listener instanceof WebSocketListener).code, 1013); // try again later
    await nodes.owner.start();
    await nodes.joined();
    edge.ready = true;
    await followed;
    await until(nodes.owner, id, completed);
    const sound = await soundOf(nodes.owner, id);
    for (const { path, bytes } of listeners) assert.equal(sha256(bytes), sha256(sound), path);
  });
});
