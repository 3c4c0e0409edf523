// Web pages of others: which of them may use this server, and how a browser learns of it.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import WebSocket from 'ws';
import { append, createStream, generate } from '../support/api.mjs';
import { everyCase } from '../support/cases.mjs';
import { ask, expectProblem, open, waitFor } from '../support/http.mjs';
import { refusedStart, Server, temporaryFolder, useServer } from '../support/server.mjs';

const [page, local, stranger] = ['https://example.com', 'http://localhost:3000', 'https://elsewhere.example'];
const text = { 'content-type': 'text/plain' };
const path = '/v1/stream/pages/one';
const words = (header) => (header ?? '').toLowerCase().split(/\s*,\s*/);

/// Every kind of answer: what is asked, and the status it must have.
const questions = [
  ['GET', path, 200],
  ['HEAD', path, 200],
  ['PUT', path, 200, { headers: text }],
  ['POST', path, 204, { headers: text, body: 'more' }],
  ['GET', `${path}?offset=now&live=long-poll`, 204],
  ['GET', `${path}?offset=nonsense`, 400],
  ['GET', '/v1/stream/pages/none', 404],
  ['POST', path, 409, { headers: { 'content-type': 'application/json' }, body: '{}' }],
  ['PATCH', path, 405],
  ['OPTIONS', path, 204],
  ['GET', '/v1/generations', 200],
  ['GET', '/v1/nothing', 404],
];
const answers = (server, origin, check) =>
  everyCase(questions, async ([method, target, status, { headers, body } = {}]) => {
    const reply = await ask(server, method, target, { headers: { ...headers, ...(origin ? { origin } : {}) }, body });
    const allowed = server.args.includes('--allow-origin') ? server.args.at(-1).split(',') : [];
    const foreign = origin && origin !== server.url && !allowed.includes(origin) && !allowed.includes('*');
    const looks = ['GET', 'HEAD', 'OPTIONS'].includes(method);
    if (foreign && !looks) expectProblem(reply, 403, { code: 'foreign_origin' });
    else assert.equal(reply.status, status, reply.text);
    check(reply.headers, method, target);
  });

/// The answer to the headers of an event stream, which is left at once.
async function eventsFor(server, origin) {
  const response = await open(server, 'GET', `${path}?live=sse&offset=-1`, { headers: { origin } });
  response.on('error', () => {}).destroy();
  return { status: response.statusCode, headers: response.headers };
}

/// 101 once the WebSocket of a page has heard something, or the status it was refused with.
function socketOf(server, origin) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}${path}?live=websocket&offset=-1`, { origin });
    socket.on('message', () => resolve(101) ?? socket.terminate());
    socket.on('unexpected-response', (_, { statusCode }) => resolve(statusCode) ?? socket.terminate());
    socket.on('error', reject);
  });
}

describe('pages of others', { timeout: 60_000 }, () => {
  const args = ['--long-poll-timeout', '100ms'];
  const closed = useServer({ args });
  const open = useServer({ args: [...args, '--allow-origin', `${page},${local}`] });
  const servers = [closed, open];

  before(async () => {
    for (const server of servers) await createStream(server, path, text).then(() => append(server, path, 'hello', text));
  });

  it('are told nothing without --allow-origin', async () => {
    for (const origin of [page, 'null', `http://127.0.0.1:${closed.port}`, undefined])
      await answers(closed, origin, (headers) => assert.equal(headers['access-control-allow-origin'], undefined));
    assert.equal((await eventsFor(closed, page)).headers['access-control-allow-origin'], undefined);
  });

  it('are named in every answer when they are allowed, errors as well', async () => {
    const named = (origin) => (headers) => {
      assert.equal(headers['access-control-allow-origin'], origin);
      assert(words(headers.vary).includes('origin'), `Vary: ${headers.vary}`);
      const shown = words(headers['access-control-expose-headers']);
      for (const name of [
        'stream-next-offset',
        'stream-cursor',
        'stream-up-to-date',
        'stream-closed',
        'etag',
        'location',
        'retry-after',
      ])
        assert(shown.includes(name), `${name} is not shown: ${shown}`);
    };
    for (const origin of [page, local]) {
      await answers(open, origin, named(origin));
      const { status, headers } = await eventsFor(open, origin);
      assert.equal(status, 200);
      named(origin)(headers);
    }
  });

  it('are not named when they are others than those', async () => {
    const others = [
      stranger,
      'null',
      'https://example.com.evil.example',
      'http://example.com',
      'https://example.com:8443',
      'http://localhost',
    ];
    for (const origin of [...others, undefined])
      await answers(open, origin, (headers) => assert.equal(headers['access-control-allow-origin'], undefined, origin));
    assert.equal((await eventsFor(open, stranger)).headers['access-control-allow-origin'], undefined);
  });

  it('are not given from a cache what was told to others', async () => {
    // A browser keeps a GET without an Origin, as of an <audio>, and would take it for the fetch of a page.
    for (const origin of [stranger, undefined])
      await answers(open, origin, (headers, method) => {
        if (method === 'GET') assert(words(headers.vary).includes('origin'), `Vary: ${headers.vary}`);
      });
  });

  it('may ask first what they may do', async () => {
    const wanted = [
      'if-none-match',
      'content-type',
      'stream-closed',
      'producer-id',
      'producer-epoch',
      'producer-seq',
      'stream-forked-from',
    ];
    const headers = {
      origin: page,
      'access-control-request-method': 'PUT',
      'access-control-request-headers': wanted.join(','),
    };
    for (const target of [path, '/v1/stream/pages/none', '/v1/stream/generations/any/audio', '/v1/generations', '/v1/transfers/1']) {
      const reply = await ask(open, 'OPTIONS', target, { headers });
      assert.deepEqual([reply.status, reply.body.length, reply.headers['access-control-allow-origin']], [204, 0, page]);
      const methods = words(reply.headers['access-control-allow-methods']);
      for (const method of ['get', 'head', 'put', 'post', 'delete']) assert(methods.includes(method), `${method}: ${methods}`);
      const allowed = words(reply.headers['access-control-allow-headers']);
      for (const header of [...wanted, 'stream-ttl', 'stream-expires-at', 'stream-seq'])
        assert(allowed.includes(header), `${header}: ${allowed}`);
    }
  });

  it('may open a WebSocket when they are allowed, or the server’s own', async () => {
    for (const origin of [page, local, `http://127.0.0.1:${open.port}`])
      assert.equal(await socketOf(open, origin), 101, origin);
    for (const origin of [stranger, 'null', 'http://example.com']) assert.equal(await socketOf(open, origin), 403, origin);
    for (const origin of [page, stranger]) assert.equal(await socketOf(closed, origin), 403, origin);
  });

  it('hear a generation that is being made', async () => {
    const { urls } = await generate(open, { duration_s: 5 });
    for (const url of [urls.audio, urls.audio_stream]) {
      const reply = await waitFor(
        async () => {
          const { status, headers } = await ask(open, 'GET', `${url}?offset=-1`, { headers: { origin: page } });
          return status === 200 && headers;
        },
        { what: `${url} to sound` },
      );
      assert.equal(reply['access-control-allow-origin'], page, url);
    }
  });

  it('are all allowed with *', async () => {
    const server = new Server({ args: [...args, '--allow-origin', '*'] });
    try {
      await server.start();
      await createStream(server, path, text);
      await append(server, path, 'hello', text);
      for (const origin of [page, stranger])
        await answers(server, origin, (headers) => assert([origin, '*'].includes(headers['access-control-allow-origin'])));
      assert.equal(await socketOf(server, stranger), 101);
      await server.stop();
    } finally {
      await server.dispose();
    }
  });

  it('must be named properly, or the server does not start', async () => {
    const good = 'https://a.example';
    const bad = [
      '',
      'example.com',
      '://x',
      'https://',
      'https://a.example/',
      'https://a.example/app',
      `${good},b.example`,
      `${good}, ${page}`,
    ];
    await everyCase([...bad, `none,${good}`, `${good},,${page}`], async (value) => {
      const said = await refusedStart(['--listen', '127.0.0.1:0', '--data', temporaryFolder(), `--allow-origin=${value}`]);
      assert.match(said, /allow-origin.*must be|allow-origin.*required/i);
    });
  });

  it('change nothing for those that are no pages', async () => {
    expectProblem(await ask(open, 'GET', '/v1/stream/pages/none'), 404, { code: 'not_found' });
    assert.match((await ask(open, 'GET', path)).text, /^hello/);
  });
});
