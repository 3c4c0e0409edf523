// Requests that are wrong as HTTP: bytes, headers, hosts, sizes and speeds. Each is answered in order and hinders nobody.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, before, describe, it } from 'node:test';
import { offsetOf } from '../support/api.mjs';
import { everyCase } from '../support/cases.mjs';
import { ask, dial, expectProblem, get, sendRaw, waitFor } from '../support/http.mjs';
import { useServer } from '../support/server.mjs';

const mebibyte = 1024 * 1024;

describe('a request', { timeout: 120_000 }, () => {
  const server = useServer();
  let pid;
  before(() => {
    pid = server.pid;
  });
  afterEach(async () => {
    assert.equal((await get(server, '/healthz')).status, 200, 'the server still answers');
    assert.equal(server.pid, pid);
  });

  const post = (body, headers) =>
    ask(server, 'POST', '/v1/generations', { body, headers: { 'content-type': 'application/json', ...headers } });
  const raw = (lines, body = '') => sendRaw(server, Buffer.concat([Buffer.from([...lines, '', ''].join('\r\n')), Buffer.from(body)]));
  const host = () => `Host: 127.0.0.1:${server.port}`;

  /// What requests are answered that come at once, on one connection that ends after the last one.
  const statusesOf = async (requests) => {
    const connection = await dial(server);
    const received = [];
    connection.socket.on('data', (bytes) => received.push(bytes));
    await connection.send(requests);
    await waitFor(() => connection.socket.readableEnded || connection.socket.destroyed, { what: 'the connection to end' });
    connection.socket.destroy();
    const text = Buffer.concat(received).toString();
    return [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));
  };

  it('that climbs out of a folder finds nothing', async () => {
    const climbers = [
      '/web/../../../../etc/passwd',
      '/web/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd',
      '/web/..%2f..%2f..%2fetc/passwd',
      '/web//etc/passwd',
      '/web/%2fetc/passwd',
      '/web/app.js%00.css',
      '/web/..\\..\\etc\\passwd',
      '/web/../web/%c0%ae%c0%ae/x',
      '/../data',
      '//etc/passwd',
    ];
    await everyCase(climbers, async (path) => {
      const reply = await raw([`GET ${path} HTTP/1.1`, host(), 'Connection: close']);
      expectProblem(reply, reply.status === 400 ? 400 : 404);
    });
  });

  it('with an unheard-of method is refused with 405, without a type with 415', async () => {
    const unheardOf = await raw(['BREW /v1/generations HTTP/1.1', host(), 'Connection: close']);
    expectProblem(unheardOf, 405, { what: 'BREW' });
    const untyped = await raw(
      ['POST /v1/generations HTTP/1.1', host(), 'Content-Length: 21', 'Connection: close'],
      '{"prompt": "a waltz"}',
    );
    expectProblem(untyped, 415, { says: /application\/json/ });
  });

  it('with a foreign Host is refused with 421, so that no other site can pose as this one', async () => {
    for (const name of [
      'evil.example',
      `evil.example:${server.port}`,
      `127.0.0.1.evil.example:${server.port}`,
      `127.0.0.2:${server.port}`,
      'x',
    ])
      for (const path of ['/', '/v1/generations', '/metrics'])
        expectProblem(await get(server, path, { host: name }), 421, { what: name, says: /127\.0\.0\.1/ });
    assert.equal((await get(server, '/v1/generations', { host: `localhost:${server.port}` })).status, 200);
    const reply = await raw(['GET /healthz HTTP/1.1', 'Connection: close']);
    assert([400, 421].includes(reply.status), `no Host at all → ${reply.status}`);
    expectProblem(await post('{"prompt": "a waltz"}', { host: 'evil.example' }), 421);
  });

  it('with a header block beyond 16 KiB is refused with 431', async () => {
    const tooLarge = {
      one: ['X: ' + 'x'.repeat(17 * 1024)],
      many: Array.from({ length: 1200 }, (_, index) => `X-${index}: 0123456789`),
      'a name': [`${'x'.repeat(17 * 1024)}: 1`],
    };
    for (const [what, lines] of Object.entries(tooLarge))
      expectProblem(await raw(['GET /healthz HTTP/1.1', host(), 'Connection: close', ...lines]), 431, { what, says: /16/ });
    const target = await raw([`GET /healthz?${'x'.repeat(17 * 1024)} HTTP/1.1`, host(), 'Connection: close']);
    assert([414, 431].includes(target.status), `a long target → ${target.status}`);
    assert.equal(
      (await raw(['GET /healthz HTTP/1.1', host(), 'Connection: close', 'X: ' + 'x'.repeat(12 * 1024)])).status,
      200,
      'below the limit',
    );
  });

  it('with a body beyond 1 MiB is refused with 413, announced or not', async () => {
    const head = ['POST /v1/generations HTTP/1.1', host(), 'Content-Type: application/json', 'Connection: close'];
    const announced = await raw([...head, `Content-Length: ${mebibyte + 1}`]); // refused before a byte of it is sent
    expectProblem(announced, 413, { what: 'Content-Length', says: /1 ?MiB|1,?048,?576/ });
    const sent = await raw([...head, `Content-Length: ${mebibyte + 1}`], Buffer.alloc(mebibyte + 1, ' '));
    expectProblem(sent, 413, { what: 'Content-Length with its body' });
    const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(0x10000, ' '), Buffer.from('\r\n')]);
    const chunked = await raw(
      [...head, 'Transfer-Encoding: chunked'],
      Buffer.concat([...Array(16).fill(chunk), Buffer.from('1\r\n \r\n0\r\n\r\n')]),
    );
    expectProblem(chunked, 413, { what: 'chunked', says: /1 ?MiB|1,?048,?576/ });
    expectProblem(await post(' '.repeat(mebibyte)), 400, { what: 'exactly 1 MiB of nothing', says: /JSON/i });
  });

  it('that is not HTTP is refused with 400', async () => {
    const close = 'Connection: close\r\n\r\n';
    const texts = [
      'GARBAGE\r\n\r\n',
      '\0\0\0\0\r\n\r\n',
      'GET /healthz\r\n\r\n',
      `GET  HTTP/1.1\r\n${host()}\r\n${close}`,
      `GET /healthz HTTP/1.1\r\n${host()}\r\nno colon here\r\n${close}`,
      `GET /healthz HTTP/1.1\r\n${host()}\r\nX Y: 1\r\n${close}`,
      `POST /v1/generations HTTP/1.1\r\n${host()}\r\nContent-Length: ten\r\n${close}`,
      `POST /v1/generations HTTP/1.1\r\n${host()}\r\nContent-Length: -1\r\n${close}`,
      `POST /v1/generations HTTP/1.1\r\n${host()}\r\nContent-Length: 2\r\nContent-Length: 3\r\n${close}{}`,
      `POST /v1/generations HTTP/1.1\r\n${host()}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n${close}zz\r\n{}\r\n0\r\n\r\n`,
      '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n',
    ];
    await everyCase(texts, async (text) => expectProblem(await sendRaw(server, Buffer.from(text, 'latin1')), 400));
    // A body with two lengths is how requests are smuggled past a proxy.
    const twoLengths = `POST /v1/generations HTTP/1.1\r\n${host()}\r\nContent-Type: application/json\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n${close}0\r\n\r\n`;
    assert.equal((await sendRaw(server, Buffer.from(twoLengths))).status, 400);
    const future = await raw(['GET /healthz HTTP/9.9', host(), 'Connection: close']);
    assert([400, 505].includes(future.status), `HTTP/9.9 → ${future.status}`);
  });

  it('whose body could be understood otherwise by a proxy is refused with 400, and nothing behind it is a request', async () => {
    const path = '/v1/stream/smuggled';
    const first = (version, ...headers) => [`PUT ${path} HTTP/${version}`, host(), 'Content-Type: text/plain', ...headers];
    const inner = `GET /healthz HTTP/1.1\r\n${host()}\r\n\r\n`;
    const cases = [
      first('1.1', 'Transfer-Encoding: identity'),
      first('1.1', 'Transfer-Encoding: chunked, identity'),
      first('1.1', 'Transfer-Encoding: xchunked', `Content-Length: ${inner.length}`),
      first('1.1', 'Transfer-Encoding: gzip, chunked'),
      first('1.1', 'Transfer-Encoding:', `Content-Length: ${inner.length}`),
      first('1.1', 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'),
      first('1.0', 'Transfer-Encoding: chunked', 'Connection: keep-alive'),
      first('1.1', 'Host: evil.example', `Content-Length: ${inner.length}`),
    ];
    await everyCase(cases, async (lines) => assert.deepEqual(await statusesOf([...lines, '', inner].join('\r\n')), [400]));
    assert.equal((await get(server, `${path}?offset=-1`)).status, 404);
  });

  it('is judged by its header, whatever its trailers say', async () => {
    const path = '/v1/stream/trailed';
    const chunked = (method, headers, trailers) =>
      raw([`${method} ${path} HTTP/1.1`, ...headers, 'Connection: close', 'Transfer-Encoding: chunked'], [`3\r\nabc\r\n0`, ...trailers, '', ''].join('\r\n'));
    const text = 'Content-Type: text/plain';
    assert.equal((await chunked('PUT', [host(), text], [])).status, 201);
    assert.equal((await chunked('POST', [host(), text], ['Stream-Closed: true', 'Stream-Seq: 9'])).status, 204);
    const { headers } = await ask(server, 'HEAD', path);
    assert.deepEqual([headers['stream-closed'], headers['stream-next-offset']], [undefined, offsetOf(6)]);
    assert.equal((await chunked('POST', [host()], [text])).status, 400, 'a type that came too late');
    assert.equal((await chunked('POST', [text], [host()])).status, 421, 'a host that came too late');
  });

  it('takes no more memory than its bounds, whatever frames its body', async () => {
    const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`))[1]) / 1024;
    const before = rss();
    const endless = Buffer.alloc(1 << 20, 'a');
    for (const start of ['1;', '0\r\nX: ']) {
      const connection = await dial(server);
      await connection.send(`POST /v1/stream/x HTTP/1.1\r\n${host()}\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n${start}`);
      for (let sent = 0; sent < 64 && connection.socket.writable; ++sent)
        await Promise.race([connection.send(endless), new Promise((resolve) => connection.socket.once('close', resolve))]);
      expectProblem(await connection.answer(), 431, { what: start, says: /16 KiB/ });
    }
    assert(rss() < before + 32, `${before} MiB before, ${rss()} MiB after`);
  });

  it('may name the server in its target, as proxies are asked', async () => {
    const asked = (target, name = host()) => raw([`GET ${target} HTTP/1.1`, name, 'Connection: close']);
    assert.equal((await asked(`http://127.0.0.1:${server.port}/healthz`)).status, 200);
    assert.equal((await asked(`http://127.0.0.1:${server.port}/healthz`, 'Host: evil.example')).status, 200, 'the target is what counts');
    expectProblem(await asked('http://evil.example/healthz'), 421);
    const own = `http://127.0.0.1:${server.port}/v1/stream/named`;
    const created = await raw([`PUT ${own} HTTP/1.1`, 'Host: evil.example', 'Content-Type: text/plain', 'Content-Length: 0', 'Connection: close']);
    assert.deepEqual([created.status, created.headers.location], [201, own], 'and what is named elsewhere');
  });

  it('that expects to be told to go on is told so in HTTP/1.1 alone', async () => {
    const asked = async (version) => {
      const connection = await dial(server);
      const received = [];
      connection.socket.on('data', (bytes) => received.push(bytes));
      const expecting = `PUT /v1/stream/expected HTTP/${version}\r\n${host()}\r\nContent-Type: text/plain\r\nExpect: 100-continue\r\nContent-Length: 1\r\n`;
      await connection.send(`${expecting}Connection: close\r\n\r\n`);
      if (version === '1.1') await waitFor(() => Buffer.concat(received).toString().startsWith('HTTP/1.1 100 Continue\r\n\r\n'));
      await connection.send('x');
      await waitFor(() => connection.socket.readableEnded);
      connection.socket.destroy();
      return Buffer.concat(received).toString().match(/HTTP\/1\.\d \d+/g);
    };
    assert.deepEqual(await asked('1.1'), ['HTTP/1.1 100', 'HTTP/1.1 201']);
    assert.deepEqual(await asked('1.0'), ['HTTP/1.0 200']);
  });

  it('that comes slowly or stops half-way holds up nobody else', async () => {
    const request = `GET /healthz HTTP/1.1\r\n${host()}\r\nConnection: close\r\n\r\n`;
    const halves = await Promise.all(Array.from({ length: 60 }, () => dial(server)));
    for (const connection of halves) await connection.send(request.slice(0, 20));
    const body = await dial(server);
    await body.send(`POST /v1/generations HTTP/1.1\r\n${host()}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"prompt"`);
    const begun = Date.now();
    for (let round = 0; round < 20; ++round) assert.equal((await get(server, '/healthz')).status, 200);
    assert(Date.now() - begun < 5_000, 'others are answered meanwhile');
    const [patient, ...gone] = halves;
    let sent = 20; // one more byte with each look at the clock
    await waitFor(async () => (await patient.send(request[sent]), ++sent === request.length), {
      every: 10,
      what: 'the last byte to be sent',
    });
    assert.equal((await patient.answer()).status, 200, 'a slow request is a request');
    for (const { socket } of [...gone, body]) socket.destroy();
  });

  it('does not hinder requests that follow on the same connection', async () => {
    const line = (path, extra = '') => `GET ${path} HTTP/1.1\r\n${host()}\r\n${extra}\r\n`;
    const all = line('/nothing') + line('/healthz') + line('/v1/generations?limit=0') + line('/readyz', 'Connection: close\r\n');
    assert.deepEqual(await statusesOf(all), [404, 200, 400, 200]);
  });

  it('with a large body is read to its end and no further, though others come with it', async () => {
    const path = '/v1/stream/pipelined';
    const body = 'x'.repeat(100 * 1024);
    const request = (method, content, extra = '') =>
      `${method} ${path} HTTP/1.1\r\n${host()}\r\nContent-Type: text/plain\r\n${extra}Content-Length: ${content.length}\r\n\r\n${content}`;
    const all = request('PUT', '') + request('POST', body) + request('POST', body) + request('POST', 'end', 'Connection: close\r\n');
    assert.deepEqual(await statusesOf(all), [201, 204, 204, 204]);
    assert.equal((await get(server, `${path}?offset=-1`)).text, `${body}${body}end`);
  });
});
