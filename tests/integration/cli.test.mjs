// The program at the prompt of a shell: what it prints, what it writes, how it exits.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { bytesPerSecond, completed, generate, hasSound, makePiece, show, unknownId, until } from '../support/api.mjs';
import { everyCase } from '../support/cases.mjs';
import { get, sha256, waitFor } from '../support/http.mjs';
import { onFullDisk, run, said, start } from '../support/need.mjs';
import { temporaryFolder, useServer } from '../support/server.mjs';

const sizeOf = (file) => (existsSync(file) ? statSync(file).size : 0);
const downloadOf = async (server, id) => (await get(server, `/v1/generations/${id}/download`)).body;
const listOf = async (server, user) => (await get(server, `/v1/generations?user_id=${user}`)).json.generations;

/// The last line of JSON a command printed, or the whole when it is one pretty value.
function jsonOf({ stdout, stderr }) {
  for (const text of [stdout, stdout.trim().split('\n').at(-1)])
    try {
      return JSON.parse(text);
    } catch {
      // try the next
    }
  assert.fail(`no JSON: ${stdout}\n${stderr}`);
}

describe('segue at the shell', { concurrency: 3, timeout: 90_000 }, () => {
  const server = useServer();
  const folder = temporaryFolder();
  const segue = (...args) => run('segue', [...args, '--server', server.url], { cwd: folder });

  it('generates a file that ffprobe finds to be music', async () => {
    const file = join(folder, 'out.mp3');
    const result = await segue('generate', 'lofi beat, 80 bpm, rainy', '-o', file);
    assert.equal(result.code, 0, said(result));
    const probe = await run('ffprobe', ['-v', 'error', '-show_streams', '-of', 'json', file]);
    assert.equal(probe.stderr, '');
    const [stream] = JSON.parse(probe.stdout).streams;
    assert.deepEqual([stream.codec_name, stream.sample_rate], ['mp3', '48000']);
    assert(Number(stream.duration) >= 59, stream.duration);
  });

  it('generates with every option, and the bytes are those of the download', async () => {
    const file = join(folder, 'options.mp3');
    const result = await segue(
      'generate',
      'a fast waltz',
      '-o',
      file,
      '--duration',
      '6s',
      '--seed',
      '42',
      '--pace',
      'fast',
      '--user',
      'shell-options',
      '--json',
    );
    assert.equal(result.code, 0, said(result));
    const [piece, ...others] = await listOf(server, 'shell-options');
    assert.equal(others.length, 0);
    assert.deepEqual([piece.prompt, piece.duration_s, piece.seed, piece.pace, piece.state], ['a fast waltz', 6, 42, 'fast', 'completed']);
    assert.equal(jsonOf(result).request_id, piece.request_id);
    assert.equal(sha256(readFileSync(file)), sha256(await downloadOf(server, piece.request_id)));
  });

  it('lets the file grow while the piece is made, and tells how far it is', async () => {
    const file = join(folder, 'grows.mp3');
    const { exited, output } = start('segue', [
      'generate',
      'a march',
      '-o',
      file,
      '--duration',
      '6s',
      '--pace',
      'realtime',
      '--user',
      'shell-grows',
      '--server',
      server.url,
    ]);
    await waitFor(() => sizeOf(file) > bytesPerSecond, { what: 'the file to begin' });
    const [piece] = await listOf(server, 'shell-grows');
    assert.equal(piece.state, 'running');
    const early = sizeOf(file);
    const result = await exited;
    assert.equal(result.code, 0, said(result));
    assert(sizeOf(file) > early);
    assert.equal(sha256(readFileSync(file)), sha256(await downloadOf(server, piece.request_id)));
    assert.match(Buffer.concat([...output.stdout, ...output.stderr]).toString(), /\d+ ?%/);
  });

  it('lists pieces for people and for programs', async () => {
    const made = [
      await makePiece(server, { prompt: 'first of two', user_id: 'shell-ls', duration_s: 5 }),
      await makePiece(server, { prompt: 'second of two', user_id: 'shell-ls', duration_s: 5 }),
    ];
    const people = await segue('ls', '--user', 'shell-ls');
    assert.equal(people.code, 0, said(people));
    for (const { request_id, prompt } of made) assert(people.stdout.includes(request_id) && people.stdout.includes(prompt), people.stdout);
    const one = await segue('ls', '--user', 'shell-ls', '--limit', '1', '--json');
    assert.equal(one.code, 0, said(one));
    assert(JSON.stringify(jsonOf(one)).includes(made[1].request_id), one.stdout);
    assert(!one.stdout.includes(made[0].request_id), 'the newest first');
  });

  it('listens to a piece, into a file or a pipe', async () => {
    const { request_id: id } = await makePiece(server, { duration_s: 5 });
    const sum = sha256(await downloadOf(server, id));
    const file = join(folder, 'listen.mp3');
    const toFile = await segue('listen', id, '-o', file);
    assert.equal(toFile.code, 0, said(toFile));
    assert.equal(sha256(readFileSync(file)), sum);
    const toPipe = await segue('listen', id, '-o', '-');
    assert.equal(toPipe.code, 0, toPipe.stderr);
    assert.equal(sha256(toPipe.bytes), sum, 'nothing but sound in the pipe');
  });

  it('goes on with a file, but for one that is longer than the piece or is no part of it', async () => {
    const { request_id: id } = await makePiece(server, { duration_s: 5 });
    const whole = await downloadOf(server, id);
    const file = join(folder, 'continued.mp3');
    for (const size of [whole.length / 2, whole.length]) {
      writeFileSync(file, whole.subarray(0, size));
      const result = await segue('listen', id, '-o', file, '-c');
      assert.equal(result.code, 0, said(result));
      assert.equal(sha256(readFileSync(file)), sha256(whole));
    }
    writeFileSync(file, Buffer.concat([whole, Buffer.alloc(1)]));
    const longer = await segue('listen', id, '-o', file, '-c');
    assert.equal(longer.code, 2, said(longer));
    assert.match(longer.stderr, /continued\.mp3 is longer than the piece, which has 0:0\d: perhaps it is of another one/);
    assert.equal(sizeOf(file), whole.length + 1, 'it is left as it was');
    const other = Buffer.from(whole.subarray(0, whole.length / 2));
    other[other.length - 1] ^= 1;
    writeFileSync(file, other);
    const foreign = await segue('listen', id, '-o', file, '-c');
    assert.equal(foreign.code, 2, said(foreign));
    assert.match(foreign.stderr, /continued\.mp3 does not end as the piece does at this place: perhaps it is of another one/);
    assert.equal(sha256(readFileSync(file)), sha256(other), 'it is left as it was');
  });

  it('cancels and removes', async () => {
    const { request_id: id } = await generate(server, { duration_s: 60, pace: 'realtime' });
    await until(server, id, hasSound);
    const cancel = await segue('cancel', id, '--json');
    assert.equal(cancel.code, 0, said(cancel));
    assert.equal(jsonOf(cancel).state, 'cancelled');
    assert.equal((await show(server, id)).state, 'cancelled');
    const remove = await segue('rm', id);
    assert.equal(remove.code, 0, said(remove));
    assert.equal((await get(server, `/v1/generations/${id}`)).status, 404);
  });

  it('cancels what it generates when it is interrupted, says so, and keeps the file', async () => {
    const file = join(folder, 'interrupted.mp3');
    const { child, exited } = start('segue', [
      'generate',
      'endless',
      '-o',
      file,
      '--duration',
      '60s',
      '--pace',
      'realtime',
      '--user',
      'shell-interrupt',
      '--server',
      server.url,
    ]);
    await waitFor(() => sizeOf(file) > 0, { what: 'the file to begin' });
    child.kill('SIGINT');
    const result = await exited;
    assert.equal(result.code, 130, said(result));
    assert.match(said(result), /cancel/i);
    const [piece] = await listOf(server, 'shell-interrupt');
    assert.equal(piece.state, 'cancelled');
    const kept = readFileSync(file);
    assert.equal(sha256(kept), sha256((await downloadOf(server, piece.request_id)).subarray(0, kept.length)));
  });

  it('exits with 2 and a word of help when it is used wrongly', async () => {
    await everyCase(
      [
        ['--no-such-option'],
        ['nonsense'],
        ['generate', 'a waltz', '--no-such-option'],
        ['generate'],
        ['listen'],
        ['ls', '--limit', 'ten'],
        ['generate', 'a waltz', '--pace', 'slow'],
        [],
      ],
      async (args) => {
        const result = await run('segue', args, { cwd: folder });
        assert.equal(result.code, 2, `segue ${args.join(' ')}: ${said(result)}`);
        assert.match(said(result), /--help|usage/i, `segue ${args.join(' ')}`);
      },
    );
  });

  it('names the word that it does not know', async () => {
    const cases = [
      [['genrate', 'a waltz', '-o', 'f'], /no command or option genrate/],
      [['keys', 'ad'], /no command or option ad/],
      [['--no-such-option'], /no command or option --no-such-option/],
      [['keys', 'add', '--usr', 'ann'], /no command or option --usr/],
      [['generate'], /prompt is required/],
    ];
    await everyCase(cases, async ([args, says]) => assert.match((await run('segue', args)).stderr, says));
  });

  it('exits with 2 and the words of the server when a wish is refused', async () => {
    await everyCase(
      [[''], ['a waltz', '--duration', '9999s'], ['a waltz', '--duration', '1s'], ['a waltz', '--user', 'a b']],
      async (args) => {
        const result = await segue('generate', ...args, '-o', join(folder, 'refused.mp3'));
        assert.equal(result.code, 2, said(result));
        assert.notEqual(result.stderr.trim(), '');
      },
    );
    assert.equal(existsSync(join(folder, 'refused.mp3')), false, 'no file is left behind');
  });

  it('exits with 1 when the file cannot be written', async () => {
    const result = await segue('generate', 'a waltz', '--duration', '5s', '-o', '/proc/nope/out.mp3');
    assert.equal(result.code, 1, said(result));
    assert.match(result.stderr, /\/proc\/nope\/out\.mp3/);
  });

  it('exits with 1 when what it says is lost', async () => {
    const result = await run('segue', ['ls', '--server', server.url], { through: onFullDisk });
    assert.equal(result.code, 1, said(result));
    assert.match(result.stderr, /standard output: No space left on device/);
  });

  it('exits with 3 when there is no server', async () => {
    await everyCase(
      [['ls'], ['generate', 'a waltz', '-o', 'none.mp3'], ['listen', unknownId, '-o', '-'], ['cancel', unknownId], ['rm', unknownId]],
      async (args) => {
        const result = await run('segue', [...args, '--server', 'http://127.0.0.1:1'], { cwd: folder });
        assert.equal(result.code, 3, `segue ${args.join(' ')}: ${said(result)}`);
        assert.match(result.stderr, /127\.0\.0\.1:1\b/);
      },
    );
  });

  it('exits with 4 when there is no such piece', async () => {
    await everyCase(
      [
        ['listen', unknownId, '-o', '-'],
        ['cancel', unknownId],
        ['rm', unknownId],
      ],
      async (args) => {
        const result = await segue(...args);
        assert.equal(result.code, 4, `segue ${args.join(' ')}: ${said(result)}`);
        assert(result.stderr.includes(unknownId), result.stderr);
      },
    );
  });

  it('explains itself and its exit codes', async () => {
    const help = await run('segue', ['--help']);
    assert.equal(help.code, 0);
    for (const word of ['serve', 'generate', 'ls', 'listen', 'cancel', 'rm', 'doctor', '130'])
      assert(help.stdout.includes(word), `${word}: ${help.stdout}`);
    for (const command of ['serve', 'generate', 'doctor']) assert.equal((await run('segue', [command, '--help'])).code, 0, command);
  });
});

describe('a download', { timeout: 60_000 }, () => {
  const server = useServer({ stable: true });

  it('is exact even when the server is killed and comes back in the middle', async () => {
    const file = join(temporaryFolder(), 'killed.mp3');
    const { exited } = start('segue', [
      'generate',
      'steady as a rock',
      '-o',
      file,
      '--duration',
      '8s',
      '--seed',
      '9',
      '--pace',
      'realtime',
      '--user',
      'survivor',
      '--server',
      server.url,
    ]);
    await waitFor(() => sizeOf(file) > 2 * bytesPerSecond, { what: 'two seconds of sound in the file' });
    await server.kill();
    await server.start();
    const result = await exited;
    assert.equal(result.code, 0, said(result));
    const [{ request_id: id }] = await listOf(server, 'survivor');
    const piece = await until(server, id, completed);
    assert(piece.attempt >= 2, 'the kill came in the middle');
    assert.equal(sha256(readFileSync(file)), sha256(await downloadOf(server, id)));
    const calm = await makePiece(server, { prompt: 'steady as a rock', duration_s: 8, seed: 9 });
    assert.equal(sha256(readFileSync(file)), sha256(await downloadOf(server, calm.request_id)), 'equal to a piece made without a kill');
  });
});
