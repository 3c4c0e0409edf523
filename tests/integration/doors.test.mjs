// The doors to one sound: every way to hear a piece gives the same bytes, while it is made and afterwards.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import {
  bytesPerFrame,
  bytesPerSecond,
  catchUp,
  completed,
  generate,
  hasSound,
  makePiece,
  metricsOf,
  offsetOf,
  show,
  until,
} from '../support/api.mjs';
import { ask, expectProblem, get, open, sha256, waitFor } from '../support/http.mjs';
import { PollingListener, ProgressiveListener } from '../support/listeners.mjs';
import { run } from '../support/need.mjs';
import { temporaryFolder, useServer } from '../support/server.mjs';

describe('the doors to a finished piece', { concurrency: 4, timeout: 60_000 }, () => {
  const server = useServer();
  let piece;
  let sound; // the bytes a player heard while the piece was made

  before(async () => {
    const { request_id: id, urls } = await generate(server, { prompt: 'upbeat synth wave, 120 bpm', duration_s: 90, seed: 5 });
    const player = await new ProgressiveListener(server, urls.audio).follow();
    sound = player.bytes;
    piece = await until(server, id, completed);
  });

  it('give the same bytes: progressive, catch-up, chunks, download', async () => {
    assert.equal(sound.length, piece.audio_bytes);
    const pages = await catchUp(server, piece.urls.audio_stream);
    assert(pages.closed && pages.pages >= 2, `${pages.pages} pages of at most 1 MiB`);
    const chunks = await catchUp(server, `/v1/users/anonymous/generations/${piece.request_id}/chunks`);
    const whole = await get(server, piece.urls.audio);
    const download = await get(server, piece.urls.download);
    for (const [door, bytes] of Object.entries({ pages: pages.bytes, chunks: chunks.bytes, whole: whole.body, download: download.body }))
      assert.equal(sha256(bytes), sha256(sound), door);
  });

  it('give the same bytes from any offset', async () => {
    for (const position of [0, 1, bytesPerFrame, 100_001, 1024 * 1024, sound.length - 1, sound.length]) {
      const rest = sha256(sound.subarray(position));
      assert.equal(
        sha256((await get(server, `${piece.urls.audio}?offset=${offsetOf(position)}`)).body),
        rest,
        `progressive from ${position}`,
      );
      assert.equal(sha256((await catchUp(server, piece.urls.audio_stream, offsetOf(position))).bytes), rest, `catch-up from ${position}`);
    }
    assert.equal(sha256((await get(server, `${piece.urls.audio}?offset=-1`)).body), sha256(sound));
    assert.equal((await get(server, `${piece.urls.audio_stream}?offset=now`)).body.length, 0);
  });

  it('say what is there: length, type, ETag, ranges', async () => {
    for (const url of [piece.urls.audio, piece.urls.download]) {
      const { headers } = await get(server, url);
      assert.equal(headers['content-type'], 'audio/mpeg', url);
      assert.equal(Number(headers['content-length']), sound.length, url);
      assert.equal(headers['accept-ranges'], 'bytes', url);
      assert.match(headers.etag, /^(W\/)?"[^"]+"$/, url);
    }
    assert.equal(sound.length % bytesPerFrame, 0);
    const page = await get(server, piece.urls.audio_stream);
    assert.equal(page.headers['content-type'], 'audio/mpeg');
    assert(page.body.length <= 1024 * 1024 && page.body.length > 1000 * 1024, `${page.body.length}: about 1 MiB, in whole records`);
    assert.equal(page.headers['stream-closed'], undefined, 'closed is only said at the tail');
    assert(page.headers.etag);
  });

  it('answer HEAD like GET without the body', async () => {
    for (const url of [piece.urls.audio, piece.urls.download, piece.urls.self]) {
      const [head, whole] = [await ask(server, 'HEAD', url), await get(server, url)];
      assert.equal(head.status, 200, url);
      assert.equal(head.body.length, 0, url);
      for (const name of ['content-type', 'content-length', 'etag', 'accept-ranges', 'stream-next-offset'])
        assert.equal(head.headers[name], whole.headers[name], `${name} of ${url}`);
    }
    const log = await ask(server, 'HEAD', piece.urls.audio_stream);
    assert.equal(log.headers['stream-next-offset'], offsetOf(sound.length), 'of a log HEAD tells where it ends');
    assert.equal(log.headers['stream-closed'], 'true');
    assert.equal(log.headers['cache-control'], 'no-store');
    assert.equal(log.headers['content-length'], undefined, 'which depends on how it is read');
    const ranged = await ask(server, 'HEAD', piece.urls.audio, { headers: { range: 'bytes=0-9' } });
    assert.deepEqual([ranged.status, ranged.headers['content-length']], [200, String(sound.length)], 'a range is for GET');
  });

  it('give pieces by Range that are exactly the bytes asked for', async () => {
    const size = sound.length;
    const last = size - 1;
    for (const [range, from, to] of [
      ['bytes=0-0', 0, 0],
      ['bytes=0-383', 0, 383],
      ['bytes=1000-', 1000, last],
      [`bytes=${last}-`, last, last],
      ['bytes=-384', size - 384, last],
      [`bytes=-${size + 1}`, 0, last],
      [`bytes=500000-${size + 1000}`, 500_000, last],
    ]) {
      const { status, headers, body } = await get(server, piece.urls.audio, { range });
      assert.equal(status, 206, range);
      assert.equal(headers['content-range'], `bytes ${from}-${to}/${size}`, range);
      assert.equal(Number(headers['content-length']), to - from + 1, range);
      assert.equal(sha256(body), sha256(sound.subarray(from, to + 1)), range);
    }
    const step = 333_333;
    const parts = [];
    for (let from = 0; from < size; from += step)
      parts.push((await get(server, piece.urls.download, { range: `bytes=${from}-${from + step - 1}` })).body);
    assert.equal(sha256(Buffer.concat(parts)), sha256(sound));
  });

  it('refuse a Range outside the piece with 416, and pass over one that is not understood', async () => {
    for (const range of [`bytes=${sound.length}-`, `bytes=${sound.length + 5}-${sound.length + 9}`, 'bytes=-0']) {
      const reply = await get(server, piece.urls.audio, { range });
      expectProblem(reply, 416, { what: range });
      assert.equal(reply.headers['content-range'], `bytes */${sound.length}`, range);
    }
    for (const range of ['bytes=abc', 'bytes=9-3', 'items=0-5', 'bytes=', 'bytes=0x1-0x2'])
      assert.equal((await get(server, piece.urls.audio, { range })).status, 200, range);
  });

  it('answer a request for several ranges with all of them or with the whole', async () => {
    const { status, headers, body } = await get(server, piece.urls.audio, { range: 'bytes=0-383,1000-1383' });
    if (status === 206) {
      assert.match(headers['content-type'], /^multipart\/byteranges/);
      assert(body.includes(sound.subarray(0, 384)) && body.includes(sound.subarray(1000, 1384)), 'both ranges');
    } else {
      assert.equal(status, 200);
      assert.equal(sha256(body), sha256(sound));
    }
  });

  it('honour If-None-Match and If-Range', async () => {
    const { etag } = (await get(server, piece.urls.audio)).headers;
    for (const match of [etag, `"other", ${etag}`, '*']) {
      const reply = await get(server, piece.urls.audio, { 'if-none-match': match });
      assert.equal(reply.status, 304, match);
      assert.equal(reply.body.length, 0);
      assert.equal(reply.headers.etag, etag);
    }
    assert.equal((await get(server, piece.urls.audio, { 'if-none-match': '"other"' })).status, 200);
    assert.equal((await get(server, piece.urls.audio, { range: 'bytes=0-9', 'if-range': etag })).status, 206);
    const changed = await get(server, piece.urls.audio, { range: 'bytes=0-9', 'if-range': '"other"' });
    assert.equal(changed.status, 200);
    assert.equal(changed.body.length, sound.length);
  });

  it('name a download after its prompt, in a way that is safe everywhere', async () => {
    const named = async (id) => (await get(server, `/v1/generations/${id}/download`)).headers['content-disposition'];
    assert.equal(await named(piece.request_id), 'attachment; filename="upbeat-synth-wave-120-bpm.mp3"');
    for (const prompt of ['../../etc/passwd', 'a "quoted"; piece\nwith\tmore', 'Müsik für 猫', '!!!', 'x'.repeat(2000)]) {
      const { request_id: id } = await makePiece(server, { prompt, duration_s: 5 });
      assert.match(await named(id), /^attachment; filename="[a-z0-9][a-z0-9-]{0,120}\.mp3"$/, prompt);
    }
  });

  it('refuse to be written to', async () => {
    const { self, audio, events, download, audio_stream, events_stream } = piece.urls;
    for (const url of [audio, events, download, audio_stream, events_stream, `/v1/users/anonymous${self.slice(3)}/chunks`])
      for (const method of ['PUT', 'POST', 'DELETE', 'PATCH']) {
        const reply = await ask(server, method, url, { body: 'new bytes' });
        expectProblem(reply, 405, { what: `${method} ${url}`, says: /GET/ });
        assert.match(reply.headers.allow, /\bGET\b/, url);
        assert.match(reply.headers.allow, /\bHEAD\b/, url);
        assert(!reply.headers.allow.includes(method), reply.headers.allow);
      }
    assert.equal(sha256((await get(server, audio)).body), sha256(sound));
  });

  it('give sound that ffprobe and ffmpeg accept without a word', async () => {
    const file = join(temporaryFolder(), 'piece.mp3');
    writeFileSync(file, sound);
    const probe = await run('ffprobe', ['-v', 'error', '-show_streams', '-show_format', '-of', 'json', file]);
    assert.equal(probe.stderr, '');
    const { streams, format } = JSON.parse(probe.stdout);
    assert.equal(streams.length, 1);
    assert.deepEqual(
      [streams[0].codec_name, streams[0].sample_rate, streams[0].channels, streams[0].bit_rate],
      ['mp3', '48000', 2, '128000'],
    );
    assert(Math.abs(Number(format.duration) - sound.length / bytesPerSecond) < 0.1, format.duration);
    const decode = await run('ffmpeg', ['-v', 'error', '-i', file, '-f', 'null', '-']);
    assert.equal(decode.code, 0);
    assert.equal(decode.stderr, '');
    const level = await run('ffmpeg', ['-v', 'info', '-i', file, '-af', 'volumedetect', '-f', 'null', '-']);
    const [, mean, peak] = /mean_volume: (\S+) dB[^]*max_volume: (\S+) dB/.exec(level.stderr).map(Number);
    assert(mean > -40 && peak > -20, `one can hear it: mean ${mean} dB, peak ${peak} dB`);
  });
});

describe('the doors to a piece that is still being made', { concurrency: 4, timeout: 60_000 }, () => {
  const server = useServer();

  it('let a player begin long before the end, chunked, unbuffered, and end cleanly', async () => {
    const { request_id: id, urls } = await generate(server, { duration_s: 8, pace: 'realtime' });
    const asked = Date.now();
    const player = new ProgressiveListener(server, urls.audio);
    const following = player.follow();
    await waitFor(() => player.position > 0, { what: 'the first byte' });
    assert(player.arrivals[0].at - asked < 3_000, `the first byte came after ${player.arrivals[0].at - asked} ms`);
    assert.equal((await show(server, id)).state, 'running');
    assert.equal(player.headers['content-type'], 'audio/mpeg');
    assert.equal(player.headers['content-length'], undefined);
    assert.equal(player.headers['x-accel-buffering'], 'no');
    await following;
    assert.equal(player.cuts, 0, 'not once cut off');
    assert.equal(sha256(player.bytes), sha256((await get(server, urls.download)).body));
  });

  it('give late listeners what exists in one burst and everybody the same piece', async () => {
    const { request_id: id, urls } = await generate(server, { duration_s: 10, pace: 'realtime' });
    const { audio_bytes: there } = await until(server, id, (generation) => generation.audio_bytes > 4 * bytesPerSecond);
    const late = new ProgressiveListener(server, urls.audio);
    const middle = new ProgressiveListener(server, urls.download);
    middle.heard(Buffer.alloc(1000)); // as if these had been heard before
    const poller = new PollingListener(server, urls.audio_stream);
    const joined = Date.now();
    await Promise.all([late, middle, poller].map((listener) => listener.follow()));
    const burst = late.arrivals.find(({ bytes }) => bytes >= there);
    assert(burst.at - joined < 1_500, `the ${there} bytes that existed took ${burst.at - joined} ms`);
    const whole = (await get(server, urls.download)).body;
    assert.equal(sha256(late.bytes), sha256(whole));
    assert.equal(sha256(poller.bytes), sha256(whole));
    assert.equal(sha256(middle.bytes.subarray(1000)), sha256(whole.subarray(1000)));
  });

  it('join at the very tail with offset=now', async () => {
    const { request_id: id, urls } = await generate(server, { duration_s: 6, pace: 'realtime' });
    const { audio_bytes: there } = await until(server, id, hasSound);
    const tail = (await get(server, `${urls.audio}?offset=now`)).body;
    const whole = (await get(server, urls.audio)).body;
    assert(tail.length > 0 && tail.length <= whole.length - there, `${tail.length} of ${whole.length} bytes, ${there} were there before`);
    assert.equal(sha256(tail), sha256(whole.subarray(whole.length - tail.length)));
  });

  it('answer HEAD, pass over Range, and give an empty page at the tail', async () => {
    const { request_id: id, urls } = await generate(server, { duration_s: 60, pace: 'realtime' });
    await until(server, id, hasSound);
    const head = await ask(server, 'HEAD', urls.audio);
    assert.deepEqual([head.status, head.body.length, head.headers['content-length']], [200, 0, undefined]);
    const ranged = await open(server, 'GET', urls.audio, { headers: { range: 'bytes=10-20' } });
    assert.deepEqual([ranged.statusCode, ranged.headers['content-range'], ranged.headers.etag], [200, undefined, undefined]);
    ranged.on('error', () => {}).destroy();
    const tail = await get(server, `${urls.audio_stream}?offset=now`);
    assert.deepEqual(
      [tail.status, tail.body.length, tail.headers['stream-up-to-date'], tail.headers['stream-closed']],
      [200, 0, 'true', undefined],
    );
    await ask(server, 'DELETE', urls.self);
  });
});

describe('a piece of long ago', { timeout: 60_000 }, () => {
  const server = useServer({ stable: true });

  it('is read once for all who begin to play it together', async () => {
    const piece = await makePiece(server, { duration_s: 60 });
    await server.restart(); // nothing of it is in memory
    const played = await Promise.all(Array.from({ length: 20 }, () => get(server, piece.urls.audio)));
    assert.deepEqual(new Set(played.map(({ body }) => body.length)), new Set([piece.audio_bytes]));
    assert.equal(new Set(played.map(({ body }) => sha256(body))).size, 1);
    const { samples } = await metricsOf(server);
    const parts = Math.ceil(piece.audio_bytes / (128 << 10)); // the smallest a client is given; one that is fast gets larger ones
    const [store, cache] = ['store', 'cache'].map((tier) => samples[`segue_reads_total{tier="${tier}"}`]);
    const uncopied = samples.segue_http_sent_uncopied_bytes_total;
    assert(uncopied > 0.8 * 20 * piece.audio_bytes, `${uncopied} of ${20 * piece.audio_bytes} bytes were sent uncopied`);
    assert(store <= parts + 2 && cache >= 15 * store, `${parts} parts, ${store} reads of the store, ${cache} of the cache`);
  });
});
