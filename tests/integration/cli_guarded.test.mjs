// The program before a server that asks for a token, or speaks https.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { bytesPerSecond, unknownId } from '../support/api.mjs';
import { everyCase } from '../support/cases.mjs';
import { run, said } from '../support/need.mjs';
import { temporaryFolder } from '../support/server.mjs';

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
    const other = await segue(['routes'], { SEGUE_TOKEN: 'two words', SEGUE_CA: '/nope', SEGUE_SERVER: 'ftp://nobody' });
    assert.equal(other.code, 0, `commands of the server do not care: ${said(other)}`);
  });

  it('is not looked for at an address that is none', async () => {
    const { code, stderr } = await segue(['ls'], { SEGUE_SERVER: 'ftp://nobody' });
    assert.equal(code, 2, stderr);
    assert.match(stderr, /--server: 'ftp:\/\/nobody' is not an http\(s\) URL/);
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

describe('a server that is none of ours', { timeout: 60_000 }, () => {
  const none = /^segue: HTTP status 400 without an explanation; is this a Segue server\?$/m;
  const answers = {
    plain: ['text/plain; charset=utf-8', 'Use another port.\r\nOr none.', /^segue: HTTP status 400: Use another port\.$/m],
    control: ['text/plain', 'no\x1b[2J', /^segue: HTTP status 400: no\?\[2J$/m],
    long: ['text/plain', 'x'.repeat(201), none],
    empty: ['text/plain', '', none],
    page: ['text/html', 'no', none],
  };
  const server = http.createServer((request, response) => {
    const [type, body] = answers[request.url.split('/')[1]];
    response.writeHead(400, { 'Content-Type': type }).end(body);
  });
  before(() => new Promise((done) => server.listen(0, '127.0.0.1', done)));
  after(() => server.close());

  it('is quoted when it says something short in plain text', async () => {
    await everyCase(Object.keys(answers), async (name) => {
      const result = await run('segue', ['ls', '--server', `http://127.0.0.1:${server.address().port}/${name}`]);
      assert.equal(result.code, 2, said(result));
      assert.match(result.stderr, answers[name][2]);
    });
  });
});
