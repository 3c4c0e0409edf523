// kill -9 at random moments, many times over on one data folder: nothing that was heard is lost or changes, and what
// comes out in the end is what an uninterrupted run makes.
// KILL_ROUNDS sets how many rounds; CHAOS_SEED, printed at the start, replays the same wishes and moments.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { setTimeout as moment } from 'node:timers/promises';
import { assertWholeStory, catchUp, completed, eventsOf, generate, makePiece, until } from '../support/api.mjs';
import { get, sha256, waitFor } from '../support/http.mjs';
import { ByteEventListener, EventListener, PollingListener, ProgressiveListener, WebSocketListener } from '../support/listeners.mjs';
import { chosenSeed, numberFrom } from '../support/numbers.mjs';
import { randomFrom } from '../support/random.mjs';
import { Server, useServer } from '../support/server.mjs';

const rounds = numberFrom('KILL_ROUNDS', 20);
const seed = chosenSeed();

const { random, between, oneOf } = randomFrom(seed);
const twoOf = (list) => {
  const first = between(0, list.length - 1);
  return [list[first], list[(first + between(1, list.length - 1)) % list.length]];
};

const prompts = [
  'slow jazz trio in D minor',
  'lofi beat, 80 bpm, rainy',
  'upbeat synth wave, 120 bpm',
  'solemn church organ',
  'bossa nova on a terrace',
  'dark ambient drone',
];
const wishOf = (pace, low, high) => ({ prompt: oneOf(prompts), duration_s: between(low, high), seed: between(0, 2 ** 31), pace });
const live = Array.from({ length: 4 }, () => wishOf('realtime', 5, 6));
const quick = Array.from({ length: 6 }, () => wishOf('fast', 20, 60));

/// What happens in a round, drawn before anything runs, so that a replay does not depend on timing. A moment is counted
/// in ms from the wishes or from the restart before it; early ones hit queued pieces, fast ones and recovery itself.
const plans = Array.from({ length: rounds }, () => ({
  wishes: [...twoOf(live), ...twoOf(quick)],
  kills: Array.from({ length: oneOf([1, 1, 1, 2, 3]) }, () => (random() < 0.5 ? between(0, 900) : between(900, 4_000))),
}));

const nameOf = ({ prompt, duration_s, seed: number }) => `${prompt}, ${duration_s} s, seed ${number}`;

/// A piece and its five listeners, each through a door of its own.
async function beginPiece(server, wish) {
  const { request_id: id, urls } = await generate(server, wish);
  const hearing = [
    new ProgressiveListener(server, urls.audio),
    new WebSocketListener(server, urls.audio_stream),
    new ByteEventListener(server, urls.audio_stream),
    new PollingListener(server, `/v1/users/anonymous/generations/${id}/chunks`),
  ];
  const reading = new EventListener(server, urls.events);
  const listeners = [...hearing, reading];
  const followed = Promise.all(listeners.map((listener) => listener.follow()));
  followed.catch(() => {}); // shown where it is awaited
  return { wish, id, urls, hearing, reading, listeners, followed };
}

/// Kills the server, starts it again, and insists that everything heard until then is still where it was.
async function killAndCompare(server, pieces) {
  await server.kill();
  await waitFor(() => pieces.every(({ listeners }) => listeners.every(({ done, down }) => done || down)), {
    what: 'every listener to notice the kill',
  });
  const before = pieces.map(({ id, urls, hearing, reading }) => ({
    id,
    urls,
    events: [...reading.events],
    heard: hearing.map(({ path, position, bytes }) => ({ path, position, sum: sha256(bytes) })),
  }));
  await server.start();
  assert.equal((await get(server, '/readyz')).status, 200);
  for (const { id, urls, events, heard } of before) {
    const { bytes } = await catchUp(server, urls.audio_stream);
    for (const { path, position, sum } of heard) {
      assert(bytes.length >= position, `${path}: ${position} bytes were heard, ${bytes.length} are left`);
      assert.equal(sha256(bytes.subarray(0, position)), sum, `${path}: the first ${position} bytes`);
    }
    assert.deepEqual((await eventsOf(server, id)).slice(0, events.length), events, 'every event read is still there');
  }
}

describe(`kill -9 at random moments, CHAOS_SEED=${seed}`, () => {
  const server = useServer({ stable: true });
  const references = new Map(); // name of a wish → sha256 of its sound
  let resumed = 0;
  let cuts = 0;

  before(async () => {
    console.log(`CHAOS_SEED=${seed} KILL_ROUNDS=${rounds}`);
    const calm = await new Server().start();
    try {
      for (const wish of new Set(plans.flatMap(({ wishes }) => wishes))) {
        const piece = await makePiece(calm, { ...wish, pace: 'fast' });
        references.set(nameOf(wish), sha256((await get(calm, piece.urls.audio)).body));
      }
      await calm.stop();
    } finally {
      await calm.dispose();
    }
  });

  plans.forEach(({ wishes, kills }, index) => {
    const name = `round ${index + 1}, killed after ${kills.join(' and ')} ms: every byte stays, every piece completes as if nothing had happened`;
    it(name, { timeout: 90_000 }, async () => {
      const pieces = await Promise.all(wishes.map((wish) => beginPiece(server, wish)));
      for (const ms of kills) {
        await moment(ms);
        await killAndCompare(server, pieces);
      }
      for (const { wish, id, urls, hearing, reading, listeners, followed } of pieces) {
        await followed;
        const piece = await until(server, id, completed);
        const sound = (await get(server, urls.audio)).body;
        assert.equal(sound.length, piece.audio_bytes);
        assert.equal(sha256(sound), references.get(nameOf(wish)), `${nameOf(wish)} equals an uninterrupted run`);
        for (const { path, bytes } of hearing) assert.equal(sha256(bytes), sha256(sound), `what was heard at ${path}`);
        const events = await eventsOf(server, id);
        assert.equal(assertWholeStory(events, id).type, 'completed');
        assert.deepEqual(reading.events, events);
        assert.deepEqual(
          listeners.flatMap(({ complaints }) => complaints),
          [],
        );
        resumed += piece.attempt > 1 ? 1 : 0;
        cuts += listeners.reduce((sum, listener) => sum + listener.cuts, 0);
      }
    });
  });

  it('the kills did land in the middle of pieces', () => {
    console.log(`${resumed} of ${rounds * 4} pieces were made in more than one attempt; listeners were cut off ${cuts} times`);
    assert(resumed > 0 && cuts > 0);
  });
});
