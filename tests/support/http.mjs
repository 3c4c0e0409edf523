// Plain HTTP, close to the wire: whole requests over node:http, raw bytes over node:net, and patience without sleeping.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import http from 'node:http';
import net from 'node:net';

export function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

/// Polls until `condition` gives something truthy and returns that; throws naming `what` after `deadline` ms.
export async function waitFor(condition, { deadline = 10_000, every = 20, what = String(condition) } = {}) {
  const end = Date.now() + deadline;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited ${deadline} ms in vain for ${typeof what === 'function' ? what() : what}`);
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}

/// Sends a request and resolves with the response as soon as its headers are here. A `body` that is no string and no
/// Buffer is sent as JSON. `headers` may hold any Host.
export function open(server, method, path, { headers = {}, body, deadline = 20_000 } = {}) {
  const bytes = body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const type = body === bytes ? {} : { 'content-type': 'application/json' };
  const length = bytes === undefined ? {} : { 'content-length': Buffer.byteLength(bytes) };
  return new Promise((resolve, reject) => {
    const request = http.request({
      host: '127.0.0.1',
      port: server.port,
      method,
      path,
      agent: false,
      headers: { ...type, ...length, ...headers },
    });
    // Bounds silence, not the whole exchange: a progressive response may last as long as its music.
    request.setTimeout(deadline, () => request.destroy(new Error(`${method} ${path}: silence for ${deadline} ms`)));
    request.on('error', reject);
    request.on('response', (response) => {
      request.on('error', () => {}); // from here on errors show on the response
      resolve(response);
    });
    request.end(bytes);
  });
}

/// Sends a request and returns the whole answer: `{status, headers, body, text, json}`; checks what every answer carries.
export async function ask(server, method, path, options) {
  const response = await open(server, method, path, options);
  const chunks = [];
  for await (const chunk of response) chunks.push(chunk);
  const reply = replyOf(response.statusCode, response.headers, Buffer.concat(chunks));
  assertHeadersOfEveryReply(reply, `${method} ${path}`);
  return reply;
}

export const get = (server, path, headers) => ask(server, 'GET', path, { headers });

function replyOf(status, headers, body) {
  return {
    status,
    headers,
    body,
    get text() {
      return body.toString();
    },
    get json() {
      return JSON.parse(body);
    },
  };
}

function assertHeadersOfEveryReply({ status, headers }, what) {
  assert.equal(headers['x-content-type-options'], 'nosniff', `${what} (${status}): X-Content-Type-Options`);
  assert.equal(headers['cross-origin-resource-policy'], 'cross-origin', `${what} (${status}): Cross-Origin-Resource-Policy`);
  assert.match(headers['content-security-policy'] ?? '', /^(sandbox|default-src 'self';.*)$/, `${what} (${status}): Content-Security-Policy`);
  assert(Math.abs(Date.now() - Date.parse(headers.date)) < 60_000, `${what} (${status}): Date is ${headers.date}`);
}

/// Asserts an RFC 9457 body whose `detail` matches every pattern of `says`, what was wrong and what is allowed.
export function expectProblem(reply, status, { code, says = [], what = '' } = {}) {
  const seen = `${what} → ${reply.status} ${reply.text.slice(0, 500)}`;
  assert.equal(reply.status, status, seen);
  assert.match(reply.headers['content-type'] ?? '', /^application\/problem\+json\b/, seen);
  const problem = reply.json;
  assert.equal(problem.status, status, seen);
  assert.match(problem.code, /^[a-z][a-z0-9_]*$/, seen);
  assert.equal(problem.type, `/problems/${problem.code}`, seen);
  for (const member of ['title', 'detail']) assert(typeof problem[member] === 'string' && problem[member] !== '', `${member}: ${seen}`);
  if (code) assert.equal(problem.code, code, seen);
  for (const pattern of [says].flat()) assert.match(problem.detail, pattern, `the detail should match ${pattern}: ${seen}`);
  return problem;
}

/// Dials the server for bytes of one's own making.
export async function dial(server) {
  const socket = net.connect({ host: '127.0.0.1', port: server.port, allowHalfOpen: true });
  const received = [];
  socket.on('data', (bytes) => received.push(bytes));
  socket.on('error', () => {}); // a reset after the answer is the server's good right; no answer shows as status 0
  await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
  return {
    socket,
    send: (bytes) => new Promise((resolve) => (socket.writable ? socket.write(bytes, resolve) : resolve())),
    /// Waits for the first whole answer and returns it like `ask`, with status 0 when the connection ended without one.
    async answer(deadline = 10_000) {
      const ended = new Promise((resolve) => socket.once('end', resolve).once('close', resolve));
      const whole = waitFor(() => socket.destroyed || socket.readableEnded || parse(Buffer.concat(received))?.whole, {
        deadline,
        what: 'an answer to raw bytes',
      });
      await Promise.race([ended, whole]);
      whole.catch(() => {});
      socket.destroy();
      return parse(Buffer.concat(received))?.reply ?? replyOf(0, {}, Buffer.alloc(0));
    },
  };
}

/// Sends `bytes` exactly as they are on a connection of their own and returns the answer, status 0 when there was none.
export async function sendRaw(server, bytes) {
  const connection = await dial(server);
  connection.send(bytes); // a server may answer without taking all of it
  const reply = await connection.answer();
  if (reply.status) assertHeadersOfEveryReply(reply, JSON.stringify(bytes.toString().slice(0, 60)));
  return reply;
}

function parse(bytes) {
  const split = bytes.indexOf('\r\n\r\n');
  if (split < 0) return undefined;
  const [start, ...lines] = bytes.subarray(0, split).toString('latin1').split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const body = bytes.subarray(split + 4);
  const length = Number(headers['content-length'] ?? Infinity);
  return { reply: replyOf(Number(start.split(' ')[1]), headers, body.subarray(0, length)), whole: body.length >= length };
}
