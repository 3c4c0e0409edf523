// Outside models: whatever speaks HTTP and sends sound makes the pieces.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import {
  bytesPerFrame,
  bytesPerSecond,
  endOf,
  eventsOf,
  generate,
  hasSound,
  makePiece,
  show,
  soundOf,
  startsOf,
  until,
} from '../support/api.mjs';
import { decode, frequencyOf, peakOf } from '../support/decoded.mjs';
import { ask, sha256, waitFor } from '../support/http.mjs';
import { by, ExampleModel, exampleModel, sendTone, startModel, to16Bit, tone, wavHeader } from '../support/model.mjs';
import { run } from '../support/need.mjs';
import { Server, stablePort, useServer } from '../support/server.mjs';

describe('the example model', { timeout: 60_000 }, async () => {
  const models = await Promise.all(
    [
      ['--speed', '3'],
      ['--rate', '24000', '--speed', '3'],
    ].map(async (args) => new ExampleModel(await stablePort(), args).start()),
  );

  for (const model of models) {
    describe(model.args.join(' '), () => {
      const server = useServer(by(model));
      after(() => model.kill());

      it('is heard while it plays, from the first note to the last', async () => {
        const { request_id: id, generator } = await generate(server, { duration_s: 6, seed: 5 });
        assert.equal(generator, 'http');
        await until(server, id, hasSound);
        const early = await show(server, id);
        assert(early.audio_ms < 5_000, `${early.audio_ms} ms were made when the first were there`);
        const piece = await endOf(server, id);
        assert.equal(piece.attempt, 1);
        const sound = await soundOf(server, id);
        assert.equal(sound.length % bytesPerFrame, 0);
        assert(Math.abs(sound.length / bytesPerSecond - 6) <= 0.072, `${sound.length} bytes for 6 s`); // three frames
        assert(peakOf(await decode(sound)) > 3_000, 'it is not silent');
        const [started] = await startsOf(server, id);
        assert.deepEqual(
          [started.generator, started.resumed_at_ms, Math.round(started.expected_bytes / bytesPerSecond)],
          ['http', 0, 6],
        );
      });

      it('plays the same tune for the same seed', async () => {
        const pieces = await Promise.all([1, 1, 2].map((seed) => makePiece(server, { duration_s: 5, seed })));
        const [one, two, other] = await Promise.all(pieces.map(async ({ request_id: id }) => sha256(await soundOf(server, id))));
        assert.equal(one, two);
        assert.notEqual(one, other);
      });
    });
  }

  it('explains itself in less than 80 lines of the standard library', async () => {
    const { code, stdout } = await run('python3', [exampleModel, '--help']);
    assert.equal(code, 0);
    for (const word of ['segue serve --generator', 'resumeAtMs', 'Segue-Resumed-At-Ms', '--port', '--push'])
      assert(stdout.includes(word), `${word}: ${stdout}`);
    assert(readFileSync(exampleModel, 'utf8').trimEnd().split('\n').length < 80);
  });
});

describe('the sound of an outside model', { concurrency: 4, timeout: 60_000 }, async () => {
  const seconds = 5;
  const encoded = async (format, args, rate, channels) => {
    const raw = to16Bit(tone({ rate, channels, seconds }));
    const input = ['-f', 's16le', '-ar', String(rate), '-ac', String(channels), '-i', '-'];
    return (await run('ffmpeg', ['-v', 'error', ...input, ...args, '-f', format, '-'], { input: raw })).bytes;
  };
  const wav = (rate, channels, sized) => {
    const body = to16Bit(tone({ rate, channels, seconds }));
    return Buffer.concat([wavHeader({ rate, channels, size: sized ? body.length : undefined }), body]);
  };
  const floats = (rate, channels) =>
    Buffer.concat([wavHeader({ rate, channels, float: true }), Buffer.from(tone({ rate, channels, seconds }).buffer)]);
  const plain = (rate, channels, bigEndian) => to16Bit(tone({ rate, channels, seconds }), { bigEndian });
  const kinds = {
    'audio/mpeg at 44.1 kHz': ['audio/mpeg', 2, await encoded('mp3', ['-b:a', '192k'], 44_100, 2)],
    'audio/mpeg at 16 kHz, mono, variable bit rate, with tags': [
      'audio/mpeg',
      1,
      await encoded('mp3', ['-q:a', '4', '-metadata', `title=${'tone '.repeat(1_000)}`], 16_000, 1),
    ],
    'audio/wav at 44.1 kHz': ['audio/wav', 2, wav(44_100, 2, true)],
    'audio/wav at 8 kHz, mono, of unknown size': ['audio/wav', 1, wav(8_000, 1, false)],
    'audio/x-wav as ffmpeg streams it': ['audio/x-wav', 2, await encoded('wav', [], 32_000, 2)],
    'audio/wav of floats at 96 kHz': ['audio/wav', 2, floats(96_000, 2)],
    'audio/L16 at 22.05 kHz, mono': ['audio/L16;rate=22050;channels=1', 1, plain(22_050, 1, true)],
    'audio/L16 at 48 kHz': ['audio/L16;rate=48000;channels=2', 2, plain(48_000, 2, true)],
    'audio/pcm at 192 kHz': ['audio/pcm; rate=192000; channels=2', 2, plain(192_000, 2, false)],
  };
  const names = Object.keys(kinds);
  const model = await startModel((wish, response) => {
    const [type, , body] = kinds[wish.promptText];
    response.writeHead(200, { 'Content-Type': type, 'Content-Length': body.length });
    response.end(body);
  });
  const server = useServer(by(model));

  for (const name of names) {
    it(`may be ${name}`, async () => {
      const { request_id: id } = await generate(server, { prompt: name, duration_s: seconds });
      await endOf(server, id);
      const sound = await soundOf(server, id);
      const samples = await decode(sound);
      assert(Math.abs(sound.length / bytesPerSecond - seconds) < 0.15, `${sound.length} bytes for ${seconds} s`);
      const right = kinds[name][1] === 1 ? 440 : 660;
      for (const [channel, frequency] of [440, right].entries())
        assert(Math.abs(frequencyOf(samples, channel) - frequency) < 0.5, `channel ${channel}: ${frequencyOf(samples, channel)} Hz`);
      const peak = peakOf(samples);
      assert(peak > 0.3 * 32_768 * 0.9 && peak < 0.3 * 32_768 * 1.1, `a peak of ${peak}`);
    });
  }

  it('is asked for with everything that is known', async () => {
    const { request_id: id } = await generate(server, { prompt: names[2], user_id: 'ada', duration_s: 5.5, seed: 2 ** 53 - 1 });
    await endOf(server, id);
    assert.deepEqual(
      model.wishes.find(({ requestId }) => requestId === id),
      { userId: 'ada', requestId: id, promptText: names[2], attempt: 1, seed: 2 ** 53 - 1, durationS: 5.5, resumeAtMs: 0 },
    );
  });
});

/// Answers with a second of silence, and with nothing more.
function sendOneSecond(wish, response) {
  response.writeHead(200, { 'Content-Type': 'audio/L16;rate=48000' });
  response.write(Buffer.alloc(96_000));
}

describe('an outside model that keeps people waiting', { timeout: 60_000 }, async () => {
  const model = await startModel(() => {});
  const server = useServer(by(model, '--heartbeat', '300ms'));
  const hangUp = async (url) => {
    const { open } = model;
    assert(open > 0);
    const begun = Date.now();
    assert.equal((await ask(server, 'DELETE', url)).status, url.includes('purge') ? 204 : 200);
    const answered = Date.now() - begun;
    await waitFor(() => model.open < open, { what: 'Segue to hang up' });
    assert(answered < 1_500, `the answer took ${answered} ms`);
    assert(Date.now() - begun < 2_500, `hanging up took ${Date.now() - begun} ms`);
  };

  it('is hung up on when the piece is cancelled, whether it thinks or plays', async () => {
    const wishes = model.wishes.length;
    const { urls } = await generate(server);
    await waitFor(() => model.wishes.length > wishes, { what: 'the model to be asked' });
    await hangUp(urls.self);

    model.answer = sendOneSecond;
    for (const query of ['', '?purge=true']) {
      const playing = await generate(server);
      await until(server, playing.request_id, hasSound);
      await hangUp(playing.urls.self + query);
    }
  });

  it('leaves signs of life in the events before there is any sound', async () => {
    model.answer = (wish, response) => setTimeout(() => sendTone(wish, response), 1_500);
    const { request_id: id } = await generate(server, { duration_s: 5 });
    await endOf(server, id);
    const types = (await eventsOf(server, id)).map(({ type }) => type);
    assert.deepEqual(types.slice(0, 3), ['queued', 'heartbeat', 'heartbeat']);
    assert.equal(types.filter((type) => type === 'started').length, 1);
  });

  it('does not keep the server from ending', async () => {
    model.answer = () => {};
    const other = await new Server(by(model)).start();
    const wishes = model.wishes.length;
    await generate(other);
    await waitFor(() => model.wishes.length > wishes, { what: 'the model to be asked' });
    const { ms } = await other.stop();
    assert(ms < 4_000, `it took ${ms} ms`);
    await other.dispose();
  });
});
