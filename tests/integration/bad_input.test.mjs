// Bad input: each kind gets its status, a body that says what is allowed, and does no harm.
import assert from 'node:assert/strict';
import { afterEach, before, describe, it } from 'node:test';
import { generate, makePiece, offsetOf, unknownId } from '../support/api.mjs';
import { everyCase } from '../support/cases.mjs';
import { ask, expectProblem, get } from '../support/http.mjs';
import { useServer } from '../support/server.mjs';

const wish = (fields) => ({ prompt: 'a waltz', ...fields });

/// [what, body, what the detail must say, field]
const refusedWishes = [
  ['no body', '', /JSON/i],
  ['cut JSON', '{"prompt": "a waltz"', /JSON/i],
  ['a trailing comma', '{"prompt": "a waltz",}', /JSON/i],
  ['two values', '{"prompt": "a waltz"} {}', /JSON/i],
  ['not UTF-8', Buffer.from('{"prompt": "caf\xe9"}', 'latin1'), /JSON|UTF-8/i],
  ['half a surrogate pair', '{"prompt": "\\ud800"}', /JSON|UTF-8|surrogate/i],
  ['NaN', '{"prompt": "a waltz", "duration_s": NaN}', /JSON/i],
  ['deep nesting', '['.repeat(100_000), /JSON/i],
  ['an array', [], /object/i],
  ['a string', '"a waltz"', /object/i],
  ['null', 'null', /object/i],
  ['an unknown field', wish({ colour: 'blue' }), /colour/],
  ['a field in other letters', wish({ Prompt: 'x' }), /Prompt/],
  ['no prompt', {}, [/prompt/, /2,?000/], 'prompt'],
  ['an empty prompt', { prompt: '' }, [/prompt/, /2,?000/], 'prompt'],
  ['a blank prompt', { prompt: ' \n\t ' }, [/prompt/, /2,?000/], 'prompt'],
  ['an oversized prompt', { prompt: 'x'.repeat(2001) }, [/prompt/, /2,?000/], 'prompt'],
  ['an oversized prompt of wide characters', { prompt: '🎷'.repeat(2001) }, [/prompt/, /2,?000/], 'prompt'],
  ...[
    ['a number', 7],
    ['null', null],
    ['a list', ['a waltz']],
    ['an object', {}],
    ['a boolean', true],
  ].map(([what, prompt]) => [`${what} as prompt`, { prompt }, [/prompt/, /string/], 'prompt']),
  ...['\u0000', '\u0007', '\u001b', '\r', '\u007f', '\u0085'].map((control) => [
    `control character ${JSON.stringify(control)}`,
    { prompt: `a${control}waltz` },
    [/prompt/, /control/],
    'prompt',
  ]),
  ...[4.999, 0, -1, 600.001, 1e300].map((duration_s) => [
    `duration ${duration_s}`,
    wish({ duration_s }),
    [/duration_s/, /\b5\b/, /\b600\b/],
    'duration_s',
  ]),
  ['duration 1e999', '{"prompt": "a waltz", "duration_s": 1e999}', /duration_s|JSON/i],
  ...['60', null, true, [], {}].map((duration_s) => [
    `duration ${JSON.stringify(duration_s)}`,
    wish({ duration_s }),
    [/duration_s/, /number/],
    'duration_s',
  ]),
  ...[-1, 1.5, 2 ** 53, 1e300, '1', null, false].map((seed) => [
    `seed ${JSON.stringify(seed)}`,
    wish({ seed }),
    [/seed/, /integer/],
    'seed',
  ]),
  ...['slow', '', 'FAST', 1, null].map((pace) => [`pace ${JSON.stringify(pace)}`, wish({ pace }), [/pace/, /fast/, /realtime/], 'pace']),
  ...['', 'x'.repeat(65), 'a b', 'a/b', 'ü', 'a\n'].map((user_id) => [
    `user ${JSON.stringify(user_id)}`,
    wish({ user_id }),
    [/user_id/, /64/],
    'user_id',
  ]),
  ...[1, null, {}].map((user_id) => [`user ${JSON.stringify(user_id)}`, wish({ user_id }), [/user_id/, /string/], 'user_id']),
];

const refusedQueries = [
  ...['0', '201', '-1', '1.5', 'ten', '', '99999999999999999999'].map((limit) => [
    `/v1/generations?limit=${limit}`,
    [/limit/, /\b1\b/, /\b200\b/],
  ]),
  ...['a%20b', 'a/b', 'x'.repeat(65), '%00'].map((user) => [`/v1/generations?user_id=${user}`, /user_id/]),
  ...['x', `${unknownId}0`, '-1'].map((after) => [`/v1/generations?after=${after}`, /after/]),
];

const refusedOffsets = [
  'abc',
  '5',
  '-2',
  'NOW',
  offsetOf(0).slice(1),
  `${offsetOf(0)}0`,
  '0000000000000001_0000000000000000',
  '0000000000000000_00000000000000zz',
  '0000000000000000_ffffffffffffffff',
  offsetOf(2 ** 40),
  '0000000000000000-0000000000000000',
  '%00',
];

const strangeIds = [
  'abc',
  `${unknownId}0`,
  unknownId.slice(1),
  unknownId.replaceAll('-', ''),
  'ffffffff-ffff-4fff-8fff-fffffffffffg',
  '%2e%2e',
  'x'.repeat(3000),
  '%ff',
  '%00',
];

describe('bad input', { timeout: 120_000 }, () => {
  const server = useServer();
  let piece;
  let pid;
  before(async () => {
    piece = await makePiece(server, { duration_s: 5 });
    pid = server.pid;
  });
  afterEach(async () => {
    assert.equal((await get(server, '/healthz')).status, 200, 'the server still answers');
    assert.equal(server.pid, pid);
  });

  const post = (body, headers) =>
    ask(server, 'POST', '/v1/generations', { body, headers: { 'content-type': 'application/json', ...headers } });

  it('in a wish is refused with 400, naming the field and what it may be, and starts nothing', async () => {
    const count = async () => (await get(server, '/v1/generations?limit=200')).json.generations.length;
    const before = await count();
    await everyCase(refusedWishes, async ([what, body, says, field]) => {
      const problem = expectProblem(await post(body), 400, { what, says });
      if (field) assert.equal(problem.field, field, what);
    });
    assert.equal(await count(), before);
  });

  it('at the edge of what is allowed is accepted', async () => {
    for (const fields of [
      { prompt: '🎷'.repeat(2000) },
      { prompt: ' two\nlines\tand a tab ' },
      { prompt: '<script>alert(1)</script> \'"; DROP TABLE generations; --' },
      { user_id: 'x'.repeat(64) },
      { seed: 0 },
      { seed: 2 ** 53 - 1 },
      { duration_s: 5 },
      { duration_s: 600, pace: 'realtime' },
    ]) {
      const { prompt, urls } = await generate(server, fields);
      if (fields.prompt) assert.equal(prompt, fields.prompt.trim());
      await ask(server, 'DELETE', `${urls.self}?purge=true`);
    }
    const reply = await post('{"prompt": "a waltz", "duration_s": 5}', { 'content-type': 'application/json; charset=utf-8' });
    assert.equal(reply.status, 200);
  });

  it('of another type than JSON is refused with 415', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'application/jsonp', ''])
      expectProblem(await post('{"prompt": "a waltz"}', { 'content-type': type }), 415, { what: type, says: /application\/json/ });
  });

  it('in a query is refused with 400', async () => {
    await everyCase(refusedQueries, async ([path, says]) => expectProblem(await get(server, path), 400, { what: path, says }));
    await everyCase(['maybe', '1', '', 'TRUE'], async (purge) =>
      expectProblem(await ask(server, 'DELETE', `${piece.urls.self}?purge=${purge}`), 400, { what: 'purge', says: [/purge/, /true/] }),
    );
    await everyCase(['sockets', 'yes', ''], async (live) =>
      expectProblem(await get(server, `${piece.urls.events}?live=${live}`), 400, { what: 'live', says: [/live/, /sse/] }),
    );
    assert.equal((await get(server, piece.urls.self)).status, 200);
  });

  it('as an offset is refused with 400 at every door', async () => {
    const { audio, events, download, audio_stream, events_stream } = piece.urls;
    const doors = [audio, download, audio_stream, events, events_stream, `/v1/users/anonymous/generations/${piece.request_id}/chunks`];
    const cases = [...doors.flatMap((door) => refusedOffsets.map((offset) => `${door}?offset=${offset}`)), `${events}?live=sse&offset=abc`];
    await everyCase(cases, async (path) => expectProblem(await get(server, path), 400, { code: 'bad_offset', says: /offset/ }));
  });

  it('as an id or a path is not found', async () => {
    const byId = [unknownId, ...strangeIds].flatMap((id) => [
      `generations/${id}`,
      `generations/${id}/audio`,
      `generations/${id}/events`,
      `generations/${id}/download`,
      `stream/generations/${id}/audio`,
      `stream/generations/${id}/events`,
      `users/anonymous/generations/${id}/chunks`,
    ]);
    await everyCase(byId, async (path) => expectProblem(await get(server, `/v1/${path}`), 404, { code: 'not_found' }));
    const paths = [
      '/nothing',
      '/v1',
      '/v2/generations',
      '/v1/generations/',
      '/v1/stream/other',
      `/v1/generations/${piece.request_id}/lyrics`,
      '/HEALTHZ',
      '/web/',
      '/web/none.js',
    ];
    await everyCase(paths, async (path) => expectProblem(await get(server, path), 404));
    expectProblem(await ask(server, 'DELETE', `/v1/generations/${unknownId}`), 404, { code: 'not_found' });
    expectProblem(await ask(server, 'DELETE', `/v1/generations/${unknownId}?purge=true`), 404, { code: 'not_found' });
  });

  it('as a method is refused with 405 and Allow', async () => {
    const cases = [
      ['PUT', '/v1/generations', 'GET POST'],
      ['DELETE', '/v1/generations', 'GET POST'],
      ['POST', piece.urls.self, 'GET DELETE'],
      ['PATCH', piece.urls.self, 'GET DELETE'],
      ['POST', '/healthz', 'GET'],
      ['DELETE', '/metrics', 'GET'],
      ['PUT', '/v1/system', 'GET'],
      ['POST', '/', 'GET'],
      ['POST', '/web/app.js', 'GET'],
    ];
    await everyCase(cases, async ([method, path, allowed]) => {
      const reply = await ask(server, method, path);
      expectProblem(reply, 405);
      for (const name of allowed.split(' ')) assert.match(reply.headers.allow ?? '', new RegExp(`\\b${name}\\b`), `Allow of ${path}`);
      assert(!reply.headers.allow.split(/, */).includes(method), reply.headers.allow);
    });
  });
});
