// Outside models that break off, are away, refuse or fall silent: asked again, or given up with a reason.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { endOf, eventsOf, failed, generate, makePiece, show, soundOf, startsOf, until } from '../support/api.mjs';
import { decode } from '../support/decoded.mjs';
import { sha256, waitFor } from '../support/http.mjs';
import { by, ExampleModel, sendTone, startModel } from '../support/model.mjs';
import { run } from '../support/need.mjs';
import { stablePort, temporaryFolder, useServer } from '../support/server.mjs';

describe('an outside model that breaks off', { concurrency: 4, timeout: 60_000 }, async () => {
  // The prompt says which calls are cut after how many seconds of sound, and whether the model can resume.
  const calls = new Map();
  const model = await startModel((wish, response) => {
    const { cuts = [], resumes, status } = JSON.parse(wish.promptText);
    const call = calls.get(wish.requestId) ?? 0;
    calls.set(wish.requestId, call + 1);
    if (status?.[call]) response.writeHead(status[call], { 'Retry-After': '1' }).end('no GPU is free');
    else sendTone(wish, response, { cutAfter: cuts[call], resumes });
  });
  const server = useServer(by(model));
  const make = async (plan) => {
    const { request_id: id } = await generate(server, { prompt: JSON.stringify(plan), duration_s: 8, seed: 1 });
    const piece = await endOf(server, id);
    return { id, piece, sound: await soundOf(server, id), wishes: model.wishes.filter(({ requestId }) => requestId === id) };
  };

  it('goes on behind the sound there is, and the splices are not to be heard', async () => {
    const calm = await make({ resumes: true });
    const { id, piece, sound, wishes } = await make({ resumes: true, cuts: [2.5, 0.3, 1.7] });
    assert.equal(sha256(sound), sha256(calm.sound), 'equal to an uninterrupted run');
    assert.deepEqual(
      wishes.map(({ attempt }) => attempt),
      [1, 2, 3, 4].slice(0, wishes.length),
    );
    assert.equal(piece.attempt, wishes.length);
    const starts = await startsOf(server, id);
    assert.equal(starts.length, wishes.length);
    starts.forEach(({ attempt, resumed_at_ms: at }, index) => {
      const { resumeAtMs } = wishes[index];
      assert.equal(attempt, index + 1);
      assert.equal(resumeAtMs % 240, 0);
      assert(index === 0 || (at - resumeAtMs >= 240 && at - resumeAtMs < 480), `asked from ${resumeAtMs} on, ${at} ms were durable`);
    });
    await decode(sound);
  });

  it('may begin at the beginning each time: what is known is dropped', async () => {
    const calm = await make({ resumes: false });
    const { sound, piece } = await make({ resumes: false, cuts: [2, 5.5] });
    assert.equal(piece.attempt, 3);
    assert.equal(sha256(sound), sha256(calm.sound));
  });

  it('may refuse for a while', async () => {
    const { id, piece, sound } = await make({ resumes: true, status: [503, 429, 500], cuts: [0, 0, 0, 3] });
    assert.equal(piece.attempt, 5);
    assert.equal((await startsOf(server, id)).length, 2, 'what was refused did not start');
    await decode(sound);
  });

});

describe('an outside model and a server that is killed', { timeout: 60_000 }, async () => {
  const model = await startModel((wish, response, call) => sendTone(wish, response, { cutAfter: [Infinity, 2, 1.5][call] }));
  const server = useServer({ stable: true, ...by(model) });

  it('make one whole piece all the same', async () => {
    const calm = await makePiece(server, { duration_s: 8 });
    const { request_id: id } = await generate(server, { duration_s: 8, pace: 'realtime' });
    await until(server, id, ({ audio_ms: ms }) => ms > 2_500);
    await server.kill();
    await server.start();
    const piece = await endOf(server, id);
    assert(piece.attempt >= 3, `attempt ${piece.attempt}`);
    assert.equal(sha256(await soundOf(server, id)), sha256(await soundOf(server, calm.request_id)));
  });
});

describe('an outside model that is not there', { timeout: 60_000 }, async () => {
  const port = await stablePort();
  const server = useServer({ stable: true, args: ['--generator', `http://127.0.0.1:${port}/generate`, '--generator-attempts', '3'] });

  it('is waited for: the server starts, and goes on when the model comes', async () => {
    assert.match(server.log, /warning server generator_away: .*127\.0\.0\.1/);
    const { request_id: id } = await generate(server, { duration_s: 5 });
    await waitFor(async () => (await show(server, id)).attempt >= 2, { what: 'a second attempt' });
    const model = await new ExampleModel(port, ['--speed', '20']).start();
    const piece = await endOf(server, id);
    await model.kill();
    assert(piece.attempt >= 2);
    await decode(await soundOf(server, id));
  });

  it('ends in a durable failure that says why', async () => {
    const { request_id: id } = await generate(server, { duration_s: 5 });
    const piece = await endOf(server, id, failed);
    assert.equal(piece.attempt, 3);
    assert.match(piece.reason, /^given up after 3 attempts in a row that added no sound; .*the model did not answer \(Failed to connect/);
    await server.restart();
    assert.deepEqual(await show(server, id), piece);
    assert.equal((await eventsOf(server, id)).at(-1).reason, piece.reason);
  });

  it('is found missing by the doctor', async () => {
    const settings = ['doctor', '--data', temporaryFolder(), '--listen', `127.0.0.1:${await stablePort()}`];
    const missing = await run('segue', [...settings, '--generator', `http://127.0.0.1:${port}/generate`]);
    assert.equal(missing.code, 1);
    assert.match(missing.stdout, /BAD +generator +the model cannot be reached/);
    const there = await startModel(() => {});
    const found = await run('segue', [...settings, '--generator', there.url]);
    assert.equal(found.code, 0, found.stdout);
    const bad = await run('segue', [...settings, '--generator', 'http:nowhere']);
    assert.match(bad.stdout, /BAD +generator .*it must be like http:\/\/127\.0\.0\.1:9000\/generate/);
  });
});

describe('an outside model that will not', { concurrency: 4, timeout: 60_000 }, async () => {
  const model = await startModel((wish, response) => {
    const { status = 200, type = 'text/plain', text, times = 1 } = JSON.parse(wish.promptText);
    response.writeHead(status, { 'Content-Type': type }).end(text.repeat(times));
  });
  const server = useServer(by(model));
  const reasonOf = async (plan) => {
    const { request_id: id } = await generate(server, { prompt: JSON.stringify(plan) });
    const piece = await endOf(server, id, failed);
    assert.equal(piece.attempt, 1, 'it was asked once');
    assert.equal((await eventsOf(server, id)).at(-1).reason, piece.reason);
    return piece.reason;
  };

  it('fails at once, and the reason names what it said', async () => {
    const reason = await reasonOf({ status: 422, text: `no such voice: "tenor" ${'x'.repeat(300)}` });
    assert.match(reason, /status 422; it said: "no such voice: "tenor" x{177}"; allowed is 200 with audio\/mpeg/);
  });

  it('fails at once with a type that is no sound', async () => {
    assert.match(
      await reasonOf({ type: 'text/html', text: '<h1>Sign in</h1>' }),
      /"text\/html"; allowed are audio\/mpeg, .*it said: "<h1>Sign in<\/h1>"/,
    );
  });

  it('fails at once with bytes that cannot be decoded', async () => {
    assert.match(await reasonOf({ type: 'audio/wav', text: 'OggS is not a WAV' }), /RIFF and WAVE; it said: "OggS is not a WAV"/);
    assert.match(await reasonOf({ type: 'audio/mpeg', text: 'no frame of it ', times: 5_000 }), /holds no sound; it said: "no frame/);
  });
});

describe('an outside model that falls silent', { timeout: 60_000 }, async () => {
  const model = await startModel(() => {});
  const server = useServer(by(model, '--generator-silence', '1200ms', '--generator-attempts', '2'));

  it('is given up when it is silent for too long', async () => {
    model.answer = (wish, response) => {
      response.writeHead(200, { 'Content-Type': 'audio/L16;rate=48000' });
      response.write(Buffer.alloc(96_000));
    };
    const { request_id: id } = await generate(server);
    const piece = await endOf(server, id, failed);
    assert.match(piece.reason, /given up after 2 attempts in a row .* the model has sent nothing for 1200 ms/);
    assert.equal(piece.audio_bytes > 0, true, 'what it sent is kept');
  });

  it('may think for longer than that is, as long as it sends something', async () => {
    model.answer = (wish, response) => {
      response.writeHead(200, { 'Content-Type': 'audio/L16;rate=48000' });
      const sample = Buffer.alloc(2);
      const drip = setInterval(() => response.write(sample), 500);
      setTimeout(() => {
        clearInterval(drip);
        response.end(Buffer.alloc(96_000 * 5));
      }, 2_500);
    };
    const { request_id: id } = await generate(server);
    assert.equal((await endOf(server, id)).attempt, 1);
  });
});
