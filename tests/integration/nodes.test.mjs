// Edge nodes: the same doors on a second machine. Here while everything goes well; chaos/node_faults.test.mjs is the rest.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import {
  append,
  catchUp,
  closeStream,
  completed,
  createStream,
  eventsOf,
  generate,
  hasSound,
  metricsOf,
  octets,
  soundOf,
  until,
} from '../support/api.mjs';
import { Broadcast, CrowdListener, dismiss, EventWire, PieceListener, WebSocketWire } from '../support/crowd.mjs';
import { ask, expectProblem, get, sha256, waitFor } from '../support/http.mjs';
import {
  ByteEventListener,
  EventListener,
  LongPollListener,
  PollingListener,
  ProgressiveListener,
  WebSocketListener,
} from '../support/listeners.mjs';
import { run } from '../support/need.mjs';
import { Nodes, nodesOf } from '../support/nodes.mjs';

const sum = (samples, pattern) =>
  Object.entries(samples)
    .filter(([name]) => pattern.test(name))
    .reduce((total, [, value]) => total + value, 0);

/// What the owner has done for readers, by its metrics.
const readsOf = async (server) => sum((await metricsOf(server)).samples, /^segue_reads_total/);

describe('an owner and two edges', { timeout: 60_000 }, () => {
  const nodes = new Nodes();
  before(() => nodes.start());
  afterEach((test) => {
    dismiss();
    if (!test.passed) for (const { log } of nodes.all) console.log(log.slice(-4000));
  });
  after(async () => {
    try {
      await nodes.stop();
    } finally {
      await nodes.dispose();
    }
  });

  it('list each other, are ready, and say how far away they are', async () => {
    const [near] = nodes.edges;
    const ofOwner = await nodesOf(nodes.owner);
    assert.equal(ofOwner.self.role, 'owner');
    assert.deepEqual(
      ofOwner.nodes.map(({ role, state }) => [role, state]),
      [
        ['edge', 'joined'],
        ['edge', 'joined'],
      ],
    );
    const ofEdge = await waitFor(
      async () => {
        const listed = await nodesOf(near);
        return listed.nodes[0].round_trip_ms !== null && listed;
      },
      { what: 'a round trip' },
    );
    assert.deepEqual([ofEdge.self.role, ofEdge.nodes[0].role, ofEdge.nodes[0].state], ['edge', 'owner', 'joined']);
    assert(ofOwner.nodes.some(({ id }) => id === ofEdge.self.id));
    const { json } = await get(near, '/readyz');
    assert.match(json.checks[0], /^node 127\.0\.0\.1:\d+: joined, round trip \d/);
    const { json: ofStores } = await get(nodes.owner, '/readyz');
    const joined = /^node 127\.0\.0\.1:\d+: joined(, round trip \d+\.\d ms)?$/;
    assert.equal(ofStores.checks.filter((check) => joined.test(check)).length, 2, JSON.stringify(ofStores));
    for (const server of nodes.all) {
      const { self, nodes: others } = await nodesOf(server);
      const { samples } = await metricsOf(server);
      assert.equal(samples['segue_peers{state="joined"}'], others.length);
      await waitFor(async () => (await nodesOf(server)).nodes.every((node) => node.round_trip_ms !== null));
      for (const { name } of others) {
        const far = `segue_peer_round_trip_seconds{peer="${name}"}`;
        await waitFor(async () => (await metricsOf(server)).samples[far] > 0, { what: `${far} at ${self.name}` });
      }
    }
    const shown = await run('segue', ['nodes', '--server', near.url]);
    assert.equal(shown.code, 0, shown.stderr);
    assert.match(shown.stdout, /owner +joined +.* 127\.0\.0\.1:/);
    const json2 = await run('segue', ['nodes', '--json', '--server', nodes.owner.url]);
    assert.equal(JSON.parse(json2.stdout).nodes.length, 2);
  });

  it('make a piece that was wished at an edge, and every door of every node has the same sound', async () => {
    const [a, b] = nodes.edges;
    const { request_id: id, urls } = await generate(a, { duration_s: 6, pace: 'realtime', seed: 5 });
    await until(b, id, hasSound);
    const doors = (server) => [
      new ProgressiveListener(server, urls.audio),
      new PollingListener(server, urls.audio_stream),
      new LongPollListener(server, urls.audio_stream),
      new ByteEventListener(server, urls.audio_stream),
      new WebSocketListener(server, urls.audio_stream),
    ];
    const hearing = nodes.all.flatMap(doors);
    const reading = nodes.all.map((server) => new EventListener(server, urls.events));
    await Promise.all([...hearing, ...reading].map((listener) => listener.follow()));
    const piece = await until(nodes.owner, id, completed);
    const sound = await soundOf(nodes.owner, id);
    assert.equal(sound.length, piece.audio_bytes);
    for (const { path, bytes, complaints, cuts } of hearing) {
      assert.equal(sha256(bytes), sha256(sound), path);
      assert.deepEqual([complaints, cuts], [[], 0], path);
    }
    const events = await eventsOf(nodes.owner, id);
    for (const listener of reading) assert.deepEqual(listener.events, events);
    for (const edge of nodes.edges) {
      assert.equal(sha256(await soundOf(edge, id)), sha256(sound));
      const part = await get(edge, urls.download, { range: 'bytes=1000-1999' });
      assert.deepEqual([part.status, sha256(part.body)], [206, sha256(sound.subarray(1000, 2000))]);
      assert.equal((await get(edge, '/v1/generations')).json.generations[0].request_id, id);
    }
    assert.equal((await ask(b, 'DELETE', `/v1/generations/${id}?purge=true`)).status, 204);
    for (const server of nodes.all) expectProblem(await get(server, `/v1/generations/${id}`), 404);
  });

  it('take appends, closes, forks and removals for the owner, once', async () => {
    const [a, b] = nodes.edges;
    const path = '/v1/stream/nodes/log';
    await createStream(a, path);
    const producer = { ...octets, 'producer-id': 'p', 'producer-epoch': '0' };
    for (let seq = 0; seq < 20; ++seq)
      for (const server of [a, b]) {
        const reply = await ask(server, 'POST', path, {
          body: `entry ${seq};`,
          headers: { ...producer, 'producer-seq': String(seq) },
        });
        assert.equal(reply.status, server === a ? 200 : 204, reply.text); // the second is a repetition
      }
    const expected = Array.from({ length: 20 }, (_, seq) => `entry ${seq};`).join('');
    for (const server of nodes.all) assert.equal((await catchUp(server, path)).bytes.toString(), expected);
    const fork = await ask(b, 'PUT', '/v1/stream/nodes/fork', { headers: { 'stream-forked-from': path } });
    assert.equal(fork.status, 201, fork.text);
    assert.equal((await catchUp(a, '/v1/stream/nodes/fork')).bytes.toString(), expected);
    assert.equal((await closeStream(b, path)).status, 204);
    for (const server of nodes.all)
      await waitFor(async () => (await catchUp(server, path)).closed, { what: 'every node to know that it is closed' });
    expectProblem(await ask(a, 'POST', path, { body: 'more', headers: octets }), 409, { code: 'closed' });
    assert.equal((await ask(a, 'DELETE', '/v1/stream/nodes/fork')).status, 204);
    for (const server of nodes.all) expectProblem(await get(server, '/v1/stream/nodes/fork?offset=-1'), 404);
  });

  it('read what was written a moment ago, wherever it was written', async () => {
    const path = '/v1/stream/nodes/fresh';
    await createStream(nodes.owner, path);
    let text = '';
    for (let i = 0; i < 30; ++i) {
      const writer = nodes.all[i % 3];
      await append(writer, path, `${i} `);
      text += `${i} `;
      assert.equal((await catchUp(writer, path)).bytes.toString(), text);
      const reader = nodes.all[(i + 1) % 3];
      await waitFor(async () => (await catchUp(reader, path)).bytes.toString() === text, { deadline: 2_000 });
    }
  });

  it('let three hundred listeners on two edges hear one piece while it is made', async () => {
    const { request_id: id, urls } = await generate(nodes.owner, { duration_s: 10, pace: 'realtime', seed: 7 });
    await until(nodes.owner, id, hasSound);
    const crowd = nodes.edges.flatMap((edge) =>
      Array.from({ length: 150 }, (_, i) =>
        new PieceListener(edge, urls.audio_stream, i % 2 ? EventWire : WebSocketWire).connect(),
      ),
    );
    await waitFor(() => crowd.every(({ position }) => position > 0), { what: 'everybody to hear something' });
    assert(hasSound(await until(nodes.owner, id, hasSound)), 'it is still being made');
    const piece = await until(nodes.owner, id, completed);
    await waitFor(() => crowd.every(({ position }) => position >= piece.audio_bytes), { what: 'everybody to hear it all' });
    const sound = await soundOf(nodes.owner, id);
    assert.equal(sound.length, piece.audio_bytes);
    assert.deepEqual([...new Set(crowd.map(({ sum }) => sum))], [sha256(sound)]);
    await waitFor(async () => (await nodesOf(nodes.owner)).nodes.every(({ relayed_bytes: bytes }) => bytes >= sound.length), {
      what: 'the owner to list what went over its links',
    });
  });

  it('let three hundred listeners hear one broadcast, and the owner reads no more than for two', async () => {
    const broadcast = await new Broadcast(nodes.owner, '/v1/stream/nodes/crowd').create();
    const listen = (server, count) =>
      Array.from({ length: count }, (_, i) =>
        new CrowdListener(broadcast, i % 2 ? EventWire : WebSocketWire, { server }).connect(),
      );
    const costs = [];
    for (const each of [1, 150]) {
      const crowd = nodes.edges.flatMap((edge) => listen(edge, each));
      await waitFor(() => crowd.every(({ told }) => told > 0), { what: 'everybody to listen' });
      const before = await readsOf(nodes.owner);
      await broadcast.play(crowd, { count: 40, size: 4 << 10, every: 50 });
      costs.push((await readsOf(nodes.owner)) - before);
      dismiss();
    }
    console.log(`reads of the owner for 40 chunks: ${costs[0]} with 2 listeners on 2 edges, ${costs[1]} with 300`);
    assert(costs[1] <= 2 * 40 + 10, `${costs[1]} reads for 40 chunks on two edges`);
    const relayed = (await metricsOf(nodes.edges[0])).samples['segue_relayed_bytes_total{direction="read"}'];
    assert(relayed >= 80 * (4 << 10));
  });
});
