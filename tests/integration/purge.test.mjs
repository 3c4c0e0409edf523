// Pieces that are purged while a store is away: who asks is never told that there is nothing while something is left, and
// nothing is left in the end, whoever asks again or does not.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { makePiece } from '../support/api.mjs';
import { ask, expectProblem, get, waitFor } from '../support/http.mjs';
import { useNetworked } from '../support/networked.mjs';
import { bucketOf, removed, stored, untilTransfer } from '../support/tiers.mjs';

describe('a purge', { timeout: 60_000 }, () => {
  const all = useNetworked({ settings: { 'store-timeout': '1s', lease: '60s' } });
  const purge = ({ urls }) => ask(all.server, 'DELETE', `${urls.self}?purge=true`);

  async function archivedPiece() {
    const piece = await makePiece(all.server, { duration_s: 5 });
    await untilTransfer(all.server, piece.request_id, stored);
    return piece;
  }

  async function assertComesLater(piece) {
    const reply = await purge(piece);
    expectProblem(reply, 503, { code: 'unavailable' });
    assert.match(reply.headers['retry-after'] ?? '', /^\d+$/);
  }

  async function assertGone({ request_id: id, urls }) {
    const soundIs = async () => (await get(all.server, urls.audio_stream)).status;
    await waitFor(async () => (await soundIs()) === 404, { what: 'its sound to go' });
    await untilTransfer(all.server, id, removed);
    const left = Object.keys((await bucketOf(all.stores.radosgw)).objects).filter((key) => key.includes(id));
    assert.deepEqual(left, [], 'objects');
    await waitFor(async () => (await purge({ urls })).status === 404, { what: 'no trace to be left' });
  }

  it('that meets a chunk store which is away goes on by itself when it is back', async () => {
    const piece = await archivedPiece();
    await all.gates.redis.refuse();
    for (let times = 0; times < 3; ++times) {
      await assertComesLater(piece);
      for (const method of ['GET', 'DELETE'])
        expectProblem(await ask(all.server, method, piece.urls.self), 404, { code: 'not_found', what: 'all others find nothing' });
    }
    await all.gates.redis.pass();
    await assertGone(piece);
  });

  it('that was interrupted is done as soon as somebody asks again', async () => {
    const piece = await archivedPiece();
    await all.gates.redis.refuse();
    await assertComesLater(piece);
    await all.gates.redis.pass();
    await waitFor(async () => (await purge(piece)).status !== 503, { what: 'the purge to be through' });
    await assertGone(piece);
  });

  it('that a catalogue which is away knows nothing of can be asked for again', async () => {
    const piece = await archivedPiece();
    await all.gates.postgres.refuse();
    expectProblem(await purge(piece), 503);
    await all.gates.postgres.pass();
    await waitFor(async () => (await purge(piece)).status === 204, { what: 'the purge to be through' });
    await assertGone(piece);
  });
});
