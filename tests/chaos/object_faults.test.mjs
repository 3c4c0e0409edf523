// The object store is away, slow or broken: nothing but transfers and reads of archived pieces notices, and those go on by
// themselves.
// CHAOS_ROUNDS sets how many rounds; CHAOS_SEED, printed at the start, replays the same cuts.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as moment } from 'node:timers/promises';
import { endOf, metricsOf } from '../support/api.mjs';
import { ask, expectProblem, get, waitFor } from '../support/http.mjs';
import { useNetworked } from '../support/networked.mjs';
import { during, faults, rounds, seed } from '../support/store_faults.mjs';
import { Traffic } from '../support/traffic.mjs';

const limit = 5_000; // ms: an answer that waits for the store, with a --store-timeout of 1 s
const quick = 1_000; // one that does not, but for what the disk lets everybody wait

describe(`the object store, CHAOS_SEED=${seed}`, { timeout: 120_000 * rounds }, () => {
  // Without a cache and soon out of memory, what is archived is read from its object.
  const all = useNetworked({
    settings: { 'store-timeout': '1s', lease: '3s', heartbeat: '1s', cache: 'none:', idle: '1s', 'archive-after': '100ms' },
  });
  let traffic;
  let pieces; // ids of some that are archived, or will be; each is played once
  before(async () => {
    console.log(`CHAOS_SEED=${seed} CHAOS_ROUNDS=${rounds}`);
    traffic = await new Traffic(all.server).begin();
    pieces = await Promise.all(faults.map(() => traffic.create()));
  });
  after(() => traffic?.abandon());

  /// The transfer of a piece, as an operator sees it.
  async function transferOf(id) {
    for (let after = 0; ;) {
      const { transfers, next } = (await get(all.server, `/v1/transfers?after=${after}`)).json;
      const found = transfers.find(({ path }) => path === `generations/${id}/audio`);
      if (found || !next) return found;
      after = next;
    }
  }

  /// Waits until nothing but its object has the piece.
  async function archived(id) {
    let last;
    const isOver = async () => {
      last = await transferOf(id);
      return last?.state === 'done' && !(await get(all.server, '/v1/system')).text.includes(last.path);
    };
    await waitFor(isOver, { deadline: 20_000, what: () => `the piece to be archived: ${JSON.stringify(last)}` });
  }

  it('while all is well, operators read no errors in the log', async () => {
    await Promise.all(pieces.map(archived));
    assert.equal((await get(all.server, '/readyz')).status, 200);
    const errors = all.server.log.split('\n').filter((line) => / error /.test(line));
    assert.deepEqual(errors.slice(0, 3), []);
  });

  for (let round = 1; round <= rounds; ++round)
    for (const fault of faults)
      it(`${fault.does}: only archived pieces are not read, and transfers wait (round ${round})`, async () => {
        const { server, stores, gates } = all;
        const piece = pieces.shift();
        await archived(piece);
        await traffic.beginSong();
        const begun = performance.now();
        const { producer } = traffic;
        producer.refusals.length = producer.slowest = 0;
        let made;
        await during(fault, { store: stores.radosgw, gate: gates.radosgw, slow: 100_000 }, async () => {
          made = await traffic.create();
          await endOf(server, made);
          if (!fault.away) return moment(1_000);
          // Visitors: nobody hears anything false of an archived piece, nor waits for the others.
          const door = `/v1/stream/generations/${piece}/audio?offset=-1`;
          const plays = await Promise.all(Array.from({ length: 6 }, () => traffic.ask('archived', 'GET', door)));
          assert.deepEqual(new Set(plays.map(({ status }) => status)), new Set([503]), 'who wants an archived piece');
          // Operators: /readyz says that objects are away, and that this is no reason not to serve; the transfer waits.
          const checks = () => traffic.since(begun, 'readyz').at(-1)?.reply.json.checks.join();
          const away = 'chunk store: ok,catalogue: ok,generations: ok,objects: (unavailable|timeout)';
          await waitFor(() => new RegExp(away).test(checks()), { what: () => `/readyz, which says ${checks()}` });
          const failed = async () => (await transferOf(made)).error;
          if (!fault.silent) assert.match(await waitFor(failed, { what: 'the transfer to have failed' }), /^unavailable/);
          assert.equal((await transferOf(made)).kind, 'upload');
        });
        await traffic.assertService(); // listeners: nobody was cut off
        assert.equal(producer.refusals.length, 0, 'producers: not one append is refused');
        const others = ['healthz', 'readyz', 'list', 'play', 'replay', 'create'];
        assert.deepEqual(traffic.statuses(begun, ...others), [200], 'everybody else: everything is answered');
        const slowest = Math.max(producer.slowest, traffic.slowest(begun, ...others.filter((who) => who !== 'readyz')));
        const allowed = quick + traffic.disk.stalledSince(begun);
        assert(slowest < allowed, `everybody else: an answer took ${slowest} ms of ${allowed}`);
        const longest = traffic.slowest(begun, 'archived', 'readyz');
        assert(longest < limit, `who wants an archived piece, and operators: an answer took ${longest} ms`);

        assert((await traffic.soundOf(piece)).equals(traffic.reference), 'the archived piece is read again');
        const { id } = await transferOf(made);
        await ask(server, 'POST', `/v1/transfers/${id}/retry`); // else its next attempt is in a few seconds
        await archived(made);
        pieces.push(await traffic.create());
      });

  it('is away: whoever plays an archived piece is told so before its first byte', async () => {
    const piece = pieces.shift();
    await archived(piece);
    await during(faults[0], { gate: all.gates.radosgw }, async () =>
      expectProblem(await get(all.server, `/v1/generations/${piece}/audio`), 503),
    );
    await traffic.assertService(); // listeners: nobody was cut off
  });

  it('in the end everything is whole, from wherever it is read', async () => {
    await traffic.end();
    assert((await metricsOf(all.server)).samples['segue_reads_total{tier="object"}'] > 0, 'and some of it from objects');
  });
});
