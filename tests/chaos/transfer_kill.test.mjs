// kill -9 of whoever moves finished pieces, at random moments of upload, eviction, download and removal: every piece stays as it
// was and is archived once, and what is purged leaves nothing behind.
// CHAOS_ROUNDS sets how many rounds; CHAOS_SEED, printed at the start, replays the same pieces and moments.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as moment } from 'node:timers/promises';
import { ask, get, sha256, waitFor } from '../support/http.mjs';
import { useNetworked } from '../support/networked.mjs';
import { chosenSeed, numberFrom } from '../support/numbers.mjs';
import { randomFrom } from '../support/random.mjs';
import { useServer } from '../support/server.mjs';
import {
  Worker,
  bucketOf,
  evicted,
  noise,
  objectsIn,
  pushPiece,
  removed,
  transferOf,
  transfersOf,
  untilBack,
  untilTransfer,
} from '../support/tiers.mjs';

const rounds = numberFrom('CHAOS_ROUNDS', 1);
const seed = chosenSeed();
const { between, oneOf } = randomFrom(seed);

/// `when`: at once, or as soon as somebody works; then so many ms later. The last piece is large, and the first kill waits for its
/// upload and hits that.
const plans = Array.from({ length: rounds }, () => ({
  sizes: [...Array.from({ length: 4 }, () => oneOf([400, 300_000, 4_000_000, 8_000_000])), 13_000_000],
  deeds: [
    { what: 'kill', when: 'working', ms: between(0, 60), which: 'busy' },
    ...Array.from({ length: 9 }, () => ({
      what: oneOf(['kill', 'kill', 'kill', 'play', 'play', 'purge']),
      when: oneOf(['at once', 'working']),
      ms: oneOf([between(0, 20), between(0, 100), between(0, 600)]),
      which: between(0, 1_000_000),
    })),
  ],
}));
const settings = {
  policy: 'archive',
  'archive-after': '300ms',
  idle: '300ms',
  cache: 'none:',
  'object-part': '5MiB',
  'transfer-lease': '6s',
  'store-timeout': '3s',
  'transfer-attempts': 30,
};
/// Whoever was killed has its lease for a while, a removal waits twice as long, and there may be several in a row.
const patient = { deadline: 45_000 };
const purge = (server, id) => ask(server, 'DELETE', `/v1/generations/${id}?purge=true`);

/// The pieces of a server, and what is done with them.
class Pieces {
  all = []; // {id, sum, purged}
  interrupted = {}; // kind of transfer → how often somebody was killed who had one

  constructor(server) {
    this.server = server;
  }

  get living() {
    return this.all.filter(({ purged }) => !purged);
  }

  async add(sizes) {
    for (const size of sizes) {
      const sound = noise(size);
      const { request_id: id } = await pushPiece(this.server, sound, { size: 1 << 20 });
      this.all.push({ id, sum: sha256(sound) });
    }
  }

  /// A reader may be refused, or cut off, while a store is slow; what is whole is as it was.
  async isWhole({ id, sum }) {
    const whole = async () => {
      const reply = await get(this.server, `/v1/generations/${id}/audio`).catch(() => undefined);
      assert([undefined, 200, 503].includes(reply?.status), `${id}: ${reply?.status} ${reply?.text?.slice(0, 200)}`);
      return reply?.status === 200 && reply;
    };
    const { body } = await waitFor(whole, { every: 200, what: `the sound of ${id}` });
    assert.equal(sha256(body), sum, id);
  }

  /// Plays what is evicted until it is brought back: a stream that is still in memory since somebody else has played it is not.
  async bringBack(piece) {
    const { id } = piece;
    const before = await untilTransfer(this.server, id, evicted, patient);
    const begun = async () => {
      await this.isWhole(piece);
      return (await transferOf(this.server, id)).id !== before.id;
    };
    await waitFor(begun, { deadline: 30_000, every: 1_000, what: `${id} to be fetched` });
    await untilBack(this.server, id, before);
    await untilTransfer(this.server, id, evicted, patient);
  }

  /// Does what is planned; `kill` is told how to choose, or who is busy, and says whom it has killed.
  async suffer(deeds, kill) {
    for (const { what, when, ms, which } of deeds) {
      const large = ({ kind, path }) => kind === 'upload' && path.includes(this.all.at(-1).id);
      const meant = which === 'busy' ? large : () => true;
      const busy = async () => (await transfersOf(this.server)).filter((row) => row.state === 'running' && meant(row));
      const deadline = which === 'busy' ? 10_000 : 500; // workers look once a second
      if (when === 'working') await waitFor(async () => (await busy()).length, { deadline }).catch(() => {}); // nobody may
      await moment(ms);
      const piece = this.living[which % this.living.length];
      if (what === 'kill') {
        const under = (await busy()).map(({ kind, holder }) => ({ kind, pid: Number(holder.split('/')[1]) }));
        const killed = await kill(which, under[0]?.pid);
        for (const { kind, pid } of under) if (pid === killed) this.interrupted[kind] = (this.interrupted[kind] ?? 0) + 1;
      } else if (what === 'play') {
        await this.isWhole(piece);
      } else if (this.living.length > 3) {
        assert.equal((await purge(this.server, piece.id)).status, 204);
        piece.purged = true;
      }
    }
  }

  /// Everything comes to rest, with nobody's help: what lives is archived and as it was, what was purged is gone.
  async settle() {
    for (const { id, purged } of this.all) await untilTransfer(this.server, id, purged ? removed : evicted, patient);
    await Promise.all(this.living.map((piece) => this.bringBack(piece)));
    for (const { id, purged } of this.all)
      assert.equal((await get(this.server, `/v1/generations/${id}`)).status, purged ? 404 : 200, id);
  }

  /// Keys of what the object store should have, and nothing else.
  get objects() {
    return this.living.flatMap(({ id }) => ['json', 'mp3'].map((type) => `generations/${id}/audio.${type}`)).sort();
  }

  async purgeAll() {
    for (const piece of this.living) {
      assert.equal((await purge(this.server, piece.id)).status, 204);
      piece.purged = true;
    }
    await this.settle();
  }
}

describe(
  `kill -9 of whoever moves pieces, CHAOS_SEED=${seed}`,
  { concurrency: true, timeout: 120_000 + 120_000 * rounds },
  () => {
    before(() => console.log(`CHAOS_SEED=${seed} CHAOS_ROUNDS=${rounds}`));

    describe('workers', { concurrency: false }, () => {
      const all = useNetworked({ settings: { ...settings, transfers: 'elsewhere' } });
      let workers;
      let pieces;
      before(async () => {
        workers = await Promise.all([1, 2].map(() => new Worker(['--config', all.configuration]).start()));
        pieces = new Pieces(all.server);
      });
      after(() => Promise.all(workers?.map((worker) => worker.stop()) ?? []));

      const kill = async (which, busy) => {
        const worker = workers.find(({ pid }) => which === 'busy' && pid === busy) ?? workers[which % 2 || 0];
        const { pid } = worker;
        await worker.kill();
        await worker.start();
        return pid;
      };
      const bucket = async () => {
        const { objects, uploads } = await bucketOf(all.stores.radosgw);
        return {
          objects: Object.keys(objects)
            .map((key) => key.replace(/^pieces\//, ''))
            .sort(),
          uploads,
        };
      };

      plans.forEach(({ sizes, deeds }, i) =>
        it(`round ${i + 1}: every piece is there and archived once, and what was purged is gone`, async () => {
          await pieces.add(sizes);
          await pieces.suffer(deeds, kill);
          await pieces.settle();
          assert.deepEqual(await bucket(), { objects: pieces.objects, uploads: [] });
        }),
      );

      it('an upload that was begun, and whose id nobody knows, leaves no parts behind', async () => {
        const { radosgw } = all.stores;
        const piece = pieces.living[0];
        const key = `${radosgw.tenant.bucket}/pieces/generations/${piece.id}/audio.mp3`;
        assert.equal((await radosgw.request('POST', `/${key}?uploads=`, radosgw.tenant)).status, 200);
        assert.equal((await bucket()).uploads.length, 1);
        await pieces.bringBack(piece);
        assert.deepEqual(await bucket(), { objects: pieces.objects, uploads: [] });
      });

      it('in the end nothing is left of what is purged, and the kills did land', async () => {
        console.log(`workers were killed in the middle of ${JSON.stringify(pieces.interrupted)}`);
        await pieces.purgeAll();
        assert.deepEqual(await bucket(), { objects: [], uploads: [] });
        assert(Object.keys(pieces.interrupted).length > 0);
      });
    });

    describe('a server that moves them itself', { concurrency: false }, () => {
      const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
      const server = useServer({ stable: true, args });
      const pieces = new Pieces(server);
      const kill = async () => {
        const { pid } = server;
        await server.kill();
        await server.start();
        return pid;
      };
      // A file that was being written when it was killed is removed after a day, as others may share the folder.
      const objects = () => objectsIn(server.data).filter((name) => !name.startsWith('.uploads/'));

      plans.forEach(({ sizes, deeds }, i) =>
        it(`round ${i + 1}: every piece is there and archived once, and what was purged is gone`, async () => {
          await pieces.add(sizes);
          await pieces.suffer(deeds, kill);
          await pieces.settle();
          assert.deepEqual(objects(), pieces.objects);
        }),
      );

      it('what it was doing is taken up by the next one, as soon as its lease has ended', async () => {
        await pieces.add([40_000_000]);
        const { id } = pieces.all.at(-1);
        await kill();
        await untilTransfer(server, id, evicted, { deadline: 25_000 });
      });

      it('in the end nothing is left of what is purged, and the kills did land', async () => {
        console.log(`the server was killed in the middle of ${JSON.stringify(pieces.interrupted)}`);
        await pieces.purgeAll();
        assert.deepEqual(objects(), []);
        assert(Object.keys(pieces.interrupted).length > 0);
      });
    });
  },
);
