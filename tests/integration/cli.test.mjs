// The program at the prompt of a shell: what it prints, what it writes, how it exits.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { bytesPerSecond, completed, generate, hasSound, makePiece, show, unknownId, until } from '../support/api.mjs';
import { everyCase } from '../support/cases.mjs';
import { get, sha256, waitFor } from '../support/http.mjs';
import { run, start } from '../support/need.mjs';
import { stablePort, temporaryFolder, useServer } from '../support/server.mjs';

const sizeOf = (file) => (existsSync(file) ? statSync(file).size : 0);
const said = ({ stdout, stderr }) => stdout + stderr;
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

  it('has a doctor that finds a good place good and says what is wrong with a bad one', async () => {
    const good = await run('segue', ['doctor', '--data', temporaryFolder(), '--listen', `127.0.0.1:${await stablePort()}`]);
    assert.equal(good.code, 0, said(good));
    const file = join(folder, 'no-folder');
    writeFileSync(file, '');
    const free = `127.0.0.1:${await stablePort()}`;
    const bad = [
      [['--data', join(file, 'below'), '--listen', free], /no-folder/],
      [['--data', '/proc/nope', '--listen', free], /\/proc\/nope/],
      [['--data', temporaryFolder(), '--listen', `127.0.0.1:${server.port}`], /in use/i],
      [['--data', temporaryFolder(), '--listen', free, '--soundfont', '/nope.sf2'], /\/nope\.sf2/],
    ];
    await everyCase(bad, async ([args, says]) => {
      const result = await run('segue', ['doctor', ...args]);
      assert.equal(result.code, 1, said(result));
      assert.match(said(result), says);
    });
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

describe('transfers at the shell', { timeout: 60_000 }, () => {
  const server = useServer();
  const transfers = (...args) => run('segue', ['transfers', ...args, '--server', server.url]);

  it('says that there are none, to people and to programs', async () => {
    const none = await transfers('retry', '--all');
    assert.deepEqual([none.code, none.stdout], [0, ''], said(none));
    assert.match(none.stderr, /^no dead letters$/m);
    for (const args of [['ls'], ['ls', '--dead'], ['ls', '--limit', '5']]) {
      const people = await transfers(...args);
      assert.equal(people.code, 0, said(people));
      assert.match(people.stderr, /^no (transfers|dead letters)$/m);
      const programs = await transfers(...args, '--json');
      assert.equal(programs.code, 0, said(programs));
      assert.deepEqual(JSON.parse(programs.stdout), { transfers: [], next: null });
    }
  });

  it('exits with 4 and the id when there is no such transfer', async () => {
    for (const what of ['retry', 'drop']) {
      const people = await transfers(what, '987654', '987655');
      assert.equal(people.code, 4, said(people));
      assert.match(people.stderr, /987654.*\n.*987655/);
      const programs = await transfers(what, '987654', '--json');
      assert.equal(programs.code, 4, said(programs));
      const { transfers: changed, failed } = JSON.parse(programs.stdout);
      assert.deepEqual([changed, failed.map(({ id, error }) => [id, error.status])], [[], [[987654, 404]]]);
    }
  });

  it('exits with 2 when it is used wrongly', async () => {
    const wrong = [[], ['retry'], ['drop'], ['drop', '--all'], ['retry', '5', '--all'], ['retry', 'all'], ['drop', '1x'], ['retry', '99999999999999999999'], ['ls', '--limit', '0']];
    await everyCase(wrong, async (args) => {
      const result = await transfers(...args);
      assert.equal(result.code, 2, `segue transfers ${args.join(' ')}: ${said(result)}`);
      assert.match(said(result), /--help/);
    });
  });

  it('teaches what a dead letter is', async () => {
    const help = await run('segue', ['transfers', '--help']);
    assert.equal(help.code, 0, said(help));
    for (const word of ['dead letter', 'retry', 'drop', 'upload', 'evict', 'download', 'remove'])
      assert(help.stdout.includes(word), `${word}: ${help.stdout}`);
  });
});

/// A server of a few lines that asks for `token`, knows one piece and 250 transfers, and keeps what it is asked in `asked`.
function guardedServer(token) {
  const piece = { request_id: unknownId, state: 'completed', duration_s: 1, audio_ms: 1000, audio_bytes: bytesPerSecond };
  const dead = { kind: 'upload', state: 'dead', attempts: 8, error: 'unavailable: nobody there' };
  const row = (id) => ({ id, path: `generations/${id}/audio`, ...dead });
  const asked = [];
  const answerOf = (method, { pathname, searchParams }) => {
    const number = Number(/^\/v1\/transfers\/(\d+)/.exec(pathname)?.[1]);
    if (number === 5) return [409, { status: 409, code: 'conflict', detail: 'transfer 5 is running' }];
    if (number) return [200, { ...row(number), state: 'waiting', attempts: 0 }];
    if (pathname === '/v1/transfers') {
      const first = Number(searchParams.get('after') ?? 0) + 1;
      const rows = Array.from({ length: Math.min(100, 251 - first) }, (_, i) => row(first + i));
      return [200, { transfers: rows, next: first + rows.length > 250 ? null : rows.at(-1).id }];
    }
    if (pathname === '/v1/generations' && method === 'GET') return [200, { generations: [piece], next: null }];
    return searchParams.has('purge') ? [204] : [200, piece];
  };
  const answer = (request, response) => {
    const url = new URL(request.url, 'http://guarded');
    asked.push({ method: request.method, path: url.pathname, query: url.search, authorization: request.headers.authorization });
    request.resume();
    if (request.headers.authorization !== `Bearer ${token}`) {
      response.writeHead(401, { 'Content-Type': 'application/problem+json', 'WWW-Authenticate': 'Bearer realm="segue"' });
      return response.end(JSON.stringify({ status: 401, code: 'unauthenticated', detail: 'Who are you?' }));
    }
    if (url.pathname.endsWith('/audio')) return response.end(Buffer.alloc(bytesPerSecond, 7));
    const [status, body] = answerOf(request.method, url);
    response.writeHead(status, { 'Content-Type': 'application/json' });
    return response.end(body && JSON.stringify(body));
  };
  return { asked, answer };
}

describe('a server that asks for a token', { timeout: 60_000 }, () => {
  const token = 'sk_music_0123456789abcdef';
  const folder = temporaryFolder();
  const { asked, answer } = guardedServer(token);
  const server = http.createServer(answer);
  before(() => new Promise((done) => server.listen(0, '127.0.0.1', done)));
  after(() => server.close());

  const url = () => `http://127.0.0.1:${server.address().port}`;
  const segue = (args, env = {}) =>
    run('segue', args, { cwd: folder, env: { SEGUE_SERVER: url(), SEGUE_TOKEN: '', SEGUE_CA: '', ...env } });
  const commands = [
    ['generate', 'guarded'],
    ['generate', 'guarded', '-o', 'generated.mp3'],
    ['listen', unknownId, '-o', 'listened.mp3'],
    ['ls'],
    ['cancel', unknownId],
    ['rm', unknownId],
    ['transfers', 'ls'],
    ['transfers', 'retry', '1'],
    ['transfers', 'drop', '1'],
  ];

  it('is shown it with every request of every command, and nobody sees it', async () => {
    for (const args of commands) {
      for (const [more, env] of [
        [['--token', token], {}],
        [[], { SEGUE_TOKEN: token }],
        [['--token', token], { SEGUE_TOKEN: 'another' }],
      ]) {
        asked.length = 0;
        const result = await segue([...args, ...more], env);
        assert.equal(result.code, 0, `segue ${args.join(' ')}: ${said(result)}`);
        assert(asked.length > 0);
        for (const { authorization, path } of asked) assert.equal(authorization, `Bearer ${token}`, path);
        assert(!said(result).includes(token), said(result));
        if (args.includes('-o')) assert(asked.some(({ path }) => path.endsWith('/audio')));
      }
    }
  });

  it('makes every command exit with 2 without it, and say how to give it', async () => {
    for (const args of commands) {
      for (const [env, more] of [
        [{}, []],
        [{ SEGUE_TOKEN: 'sk_music_wrong' }, []],
        [{}, ['--json']],
      ]) {
        asked.length = 0;
        const result = await segue([...args, ...more], env);
        assert.equal(result.code, 2, `segue ${args.join(' ')}: ${said(result)}`);
        assert.match(result.stderr, /SEGUE_TOKEN.*--token/);
        assert(!said(result).includes('sk_music_wrong'), said(result));
        assert.equal(asked.length, 1, 'asked once');
        if (more.length > 0) JSON.parse(result.stdout);
      }
    }
  });

  it('is not asked at all with what cannot be a token', async () => {
    await everyCase(['two words', 'a\r\nX-Evil: yes', 'line\n', 'schlüssel'], async (wrong) => {
      asked.length = 0;
      for (const result of [await segue(['ls', '--token', wrong]), await segue(['ls'], { SEGUE_TOKEN: wrong })]) {
        assert.equal(result.code, 2, said(result));
        assert.match(result.stderr, /--token/);
        assert(!said(result).includes(wrong), said(result));
      }
      assert.equal(asked.length, 0);
    });
    const other = await segue(['routes'], { SEGUE_TOKEN: 'two words', SEGUE_CA: '/nope' });
    assert.equal(other.code, 0, `commands of the server do not care: ${said(other)}`);
  });

  it('gives as many pages of transfers as are wanted', async () => {
    asked.length = 0;
    const all = await segue(['transfers', 'ls', '--dead', '--limit', '1000', '--json', '--token', token]);
    assert.equal(all.code, 0, said(all));
    const { transfers, next } = JSON.parse(all.stdout);
    assert.deepEqual([transfers.map(({ id }) => id), next], [Array.from({ length: 250 }, (_, i) => i + 1), null]);
    assert.deepEqual(
      asked.map(({ query }) => query),
      ['?state=dead', '?state=dead&after=100', '?state=dead&after=200'],
    );
    const few = JSON.parse((await segue(['transfers', 'ls', '--limit', '120', '--json', '--token', token])).stdout);
    assert.deepEqual([few.transfers.length, few.next], [120, 120]);
    const people = await segue(['transfers', 'ls', '--limit', '2', '--token', token]);
    const [head, first, ...others] = people.stdout.split('\n');
    assert.match(head, /^ID +KIND +STATE +ATTEMPTS +WHEN +DONE +PATH +ERROR$/);
    assert.match(first, /^ *1 +upload +dead +8 .* generations\/1\/audio +unavailable: nobody there$/);
    assert.equal(others.length, 2, 'one more and the end');
    assert.match(people.stderr, /--limit/);
  });

  it('tries every dead letter again, over all pages, and tells which one could not be', async () => {
    asked.length = 0;
    const all = await segue(['transfers', 'retry', '--all', '--json', '--token', token]);
    assert.equal(all.code, 2, said(all));
    const { transfers, failed } = JSON.parse(all.stdout);
    assert.deepEqual([transfers.length, failed.map(({ id }) => id)], [249, [5]]);
    assert.deepEqual(
      asked.slice(0, 4).map(({ method, path, query }) => `${method} ${path}${query}`),
      [
        'GET /v1/transfers?state=dead',
        'GET /v1/transfers?state=dead&after=100',
        'GET /v1/transfers?state=dead&after=200',
        'POST /v1/transfers/1/retry',
      ],
    );
  });

  it('has an answer for each transfer that is tried again or dropped', async () => {
    const retry = await segue(['transfers', 'retry', '1', '5', '7', '--token', token]);
    const drop = await segue(['transfers', 'drop', '5', '--token', token]);
    assert.equal(retry.code, 2, said(retry));
    assert.match(retry.stdout, /^1: .*generations\/1\/audio.*\n7: .*generations\/7\/audio.*\n$/);
    assert.match(retry.stderr, /\b5: transfer 5 is running/);
    assert.equal(drop.code, 2, said(drop));
    assert.deepEqual(
      asked.slice(-4).map(({ method, path }) => `${method} ${path}`),
      ['POST /v1/transfers/1/retry', 'POST /v1/transfers/5/retry', 'POST /v1/transfers/7/retry', 'DELETE /v1/transfers/5'],
    );
  });
});

describe('a server that speaks https', { timeout: 60_000 }, () => {
  const token = 'sk_music_0123456789abcdef';
  const folder = temporaryFolder();
  const { asked, answer } = guardedServer(token);
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  let server;
  before(async () => {
    const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    const name = ['-subj', '/CN=segue', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const made = await run('openssl', ['req', ...kind, ...name, '-keyout', key, '-out', certificate]);
    assert.equal(made.code, 0, said(made));
    server = https.createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, answer);
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
  });
  after(() => server?.close());

  const segue = (args, env = {}) => {
    const where = `https://127.0.0.1:${server.address().port}`;
    return run('segue', [...args, '--server', where], { cwd: folder, env: { SEGUE_TOKEN: token, SEGUE_CA: '', ...env } });
  };

  it('is believed when an authority of our own vouches for it', async () => {
    for (const [more, env] of [
      [['--ca', certificate], {}],
      [[], { SEGUE_CA: certificate }],
    ]) {
      const list = await segue(['ls', ...more], env);
      assert.equal(list.code, 0, said(list));
      assert(list.stdout.includes(unknownId), list.stdout);
      const sound = await segue(['listen', unknownId, '-o', '-', ...more], env);
      assert.equal(sound.code, 0, sound.stderr);
      assert.equal(sound.bytes.length, bytesPerSecond);
    }
  });

  it('is shown no token when nobody vouches for it', async () => {
    asked.length = 0;
    await everyCase([[], ['--ca', key]], async (more) => {
      const result = await segue(['ls', ...more]);
      assert.equal(result.code, 3, said(result));
      assert.match(result.stderr, /--ca/);
    });
    assert.equal(asked.length, 0);
  });

  it('exits with 2 when the file of the authority is missing', async () => {
    const result = await segue(['ls', '--ca', 'nope.pem']);
    assert.equal(result.code, 2, said(result));
    assert.match(result.stderr, /--ca.*nope\.pem/);
  });
});
