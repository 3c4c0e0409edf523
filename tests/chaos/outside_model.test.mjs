// The outside model killed with SIGKILL and started again in the middle of its pieces, many times over: each becomes one
// gapless piece, and nobody hears where it was put together.
// MODEL_ROUNDS sets how many rounds; CHAOS_SEED, printed at the start, replays the same wishes and moments.
//
// What "nobody hears" is, in decoded samples: every one equals that of an uninterrupted run, but for the encoder's reach
// behind a splice. An encoder that begins ten frames early has forgotten that it began when it comes to the splice, except
// for how loud it believes the music to be, which decides what it thinks inaudible, and settles within a few hundred ms: it
// may round a few spectral lines in another, equally good way. So within one second of a splice a sample may be off by
// 0.02 of full scale, and elsewhere not at all. (With the tunes of the example, ten frames give the very same bytes; three
// frames, deviations up to 0.0135; an encoder that begins at the splice, a click of 0.25 to 0.5.)
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { setTimeout as moment } from 'node:timers/promises';
import { assertWholeStory, bytesPerFrame, bytesPerSecond, completed, eventsOf, generate, makePiece, soundOf, until } from '../support/api.mjs';
import { decode } from '../support/decoded.mjs';
import { sha256 } from '../support/http.mjs';
import { by, ExampleModel } from '../support/model.mjs';
import { chosenSeed, numberFrom } from '../support/numbers.mjs';
import { randomFrom } from '../support/random.mjs';
import { Server, stablePort } from '../support/server.mjs';

const rounds = numberFrom('MODEL_ROUNDS', 20);
const seed = chosenSeed();
const { between, oneOf } = randomFrom(seed);

const tolerance = 0.02 * 32_768;
const reach = 48_000; // sample frames behind a splice
const decoderDelay = 1_105; // sample frames by which encoder and decoder shift the sound

/// One model of each rate, with a server of its own; rounds take turns.
const lanes = [
  ['--rate', '44100'],
  ['--rate', '48000'],
  ['--rate', '22050'],
  ['--rate', '24000'],
];

/// What happens in a round, drawn before anything runs. A moment is counted in ms from the wish or from the restart
/// before it; a piece of 10 s takes 2.5 s to make.
const plans = Array.from({ length: rounds }, (_, index) => ({
  lane: index % lanes.length,
  wish: { prompt: 'a tune', duration_s: between(8, 12), seed: between(0, 2 ** 31) },
  kills: Array.from({ length: oneOf([1, 1, 2, 3]) }, () => ({ after: between(50, 1_800), away: between(0, 700) })),
}));

/// Insists that two decoded pieces sound the same; `splices` in bytes of the log.
function assertSameSound(sound, reference, splices) {
  assert.equal(sound.length, reference.length, 'as many samples');
  const forgiven = splices.map((at) => ((at / bytesPerFrame) * 1_152 - 1_152) * 2);
  for (let i = 0; i < sound.length; ++i) {
    const off = Math.abs(sound[i] - reference[i]);
    if (off === 0) continue;
    const near = forgiven.some((from) => i >= from && i < from + 2 * (reach + decoderDelay + 1_152));
    assert(near, `sample ${i} is off by ${off}, far from the splices at ${splices}`);
    assert(off <= tolerance, `sample ${i} is off by ${off}, behind a splice at ${splices}`);
  }
}

describe(`an outside model killed in the middle, CHAOS_SEED=${seed}`, { concurrency: lanes.length }, () => {
  console.log(`CHAOS_SEED=${seed} MODEL_ROUNDS=${rounds}`);
  const told = { splices: 0, exact: 0, resumed: 0 };

  lanes.forEach((args, lane) => {
    describe(args.join(' '), { concurrency: 1, timeout: 120_000 }, async () => {
      const model = new ExampleModel(await stablePort(), [...args, '--speed', '4']);
      const server = new Server(by(model, '--generator-attempts', '20'));
      const ready = Promise.all([model.start(), server.start()]);
      after(async () => {
        await model.kill();
        await server.dispose();
      });

      for (const { wish, kills } of plans.filter((plan) => plan.lane === lane)) {
        const when = kills.map(({ after, away }) => `after ${after} ms for ${away} ms`).join(', ');
        it(`${wish.duration_s} s, seed ${wish.seed}, killed ${when}: one whole piece`, async () => {
          await ready;
          const { request_id: id } = await generate(server, wish);
          for (const kill of kills) {
            await moment(kill.after);
            await model.kill();
            await moment(kill.away);
            await model.start();
          }
          const piece = await until(server, id, completed, { deadline: 60_000 });
          const events = await eventsOf(server, id);
          assert.equal(assertWholeStory(events, id).type, 'completed');
          const calm = await makePiece(server, wish);
          assert.equal(calm.attempt, 1);

          const [sound, reference] = await Promise.all([soundOf(server, id), soundOf(server, calm.request_id)]);
          assert.equal(sound.length, piece.audio_bytes);
          assert.equal(sound.length % bytesPerFrame, 0, 'whole frames');
          assert.equal(sound.length, reference.length, 'as long as an uninterrupted run');
          assert(Math.abs(sound.length / bytesPerSecond - wish.duration_s) <= 0.072, `${sound.length} bytes`); // three frames
          const splices = events.filter(({ type }) => type === 'started').map((event) => event.resumed_at_ms * 16);
          const decoded = await decode(sound); // which complains of nothing
          assertSameSound(decoded, await decode(reference), splices.slice(1));
          told.splices += splices.length - 1;
          told.exact += sha256(sound) === sha256(reference) ? splices.length - 1 : 0;
          told.resumed += splices.some((at) => at > 0) ? 1 : 0;
        });
      }
    });
  });

  after(() => {
    console.log(`${told.resumed} of ${rounds} pieces were put together, ${told.exact} of ${told.splices} splices to the very same bytes`);
    assert(told.resumed >= rounds / 2, 'the kills did land in the middle of pieces');
  });
});
