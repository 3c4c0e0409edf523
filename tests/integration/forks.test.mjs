// Forks: streams that begin as another one did, and then go their own way.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { append, catchUp, closeStream, createStream, octets, offsetOf } from '../support/api.mjs';
import { everyCase } from '../support/cases.mjs';
import { ask, expectProblem, get, sha256, waitFor } from '../support/http.mjs';
import { ByteEventListener, LongPollListener, WebSocketListener } from '../support/listeners.mjs';
import { useServer } from '../support/server.mjs';

const json = { 'content-type': 'application/json' };
const by = (epoch, seq) => ({ ...octets, 'producer-id': 'p', 'producer-epoch': String(epoch), 'producer-seq': String(seq) });
const large = () => randomBytes(700 * 1024); // two of them are more than one page of catch-up
let count = 0;
const fresh = () => `/v1/stream/fork/${++count}`;

describe('a fork', { timeout: 90_000 }, () => {
  const server = useServer({ stable: true });
  const text = async (path) => (await get(server, path)).text;
  const remove = (path) => ask(server, 'DELETE', path);
  const post = (path, headers, body) => ask(server, 'POST', path, { headers, body });

  /// Asks for a fork `path` of `parent`; `at` and `sub` as the client says them.
  const put = (path, parent, { at, sub, headers = {}, body } = {}) => {
    const where = {
      ...(at === undefined ? {} : { 'stream-fork-offset': at }),
      ...(sub === undefined ? {} : { 'stream-fork-sub-offset': sub }),
    };
    return ask(server, 'PUT', path, { headers: { 'stream-forked-from': parent, ...where, ...headers }, body });
  };
  const fork = async (parent, options) => {
    const path = fresh();
    const reply = await put(path, parent, options);
    assert.equal(reply.status, 201, reply.text);
    return path;
  };
  const stream = async (parts = [], headers = octets) => {
    const path = fresh();
    await createStream(server, path, headers);
    for (const part of parts) await append(server, path, part, headers);
    return path;
  };

  it('reads the beginning of its parent and then its own bytes, in one answer', async () => {
    const parent = await stream(['abc', 'def']);
    const path = fresh();
    const created = await put(path, parent, { at: offsetOf(3) });
    assert.deepEqual([created.status, created.headers['stream-next-offset']], [201, offsetOf(3)]);
    assert.equal(created.headers['content-type'], octets['content-type'], 'the type of its parent');
    assert.equal((await post(path, octets, 'XYZ')).headers['stream-next-offset'], offsetOf(6));
    assert.equal(await text(path), 'abcXYZ');
    assert.equal(await text(`${path}?offset=${offsetOf(2)}`), 'cXYZ');
    assert.equal(await text(parent), 'abcdef');
  });

  it('has what its parent had when it began, and nothing that came later', async () => {
    const parent = await stream(['abc']);
    const [whole, none, spoken] = [
      await fork(parent),
      await fork(parent, { at: offsetOf(0) }),
      await fork(parent, { body: '!' }),
    ];
    await append(server, parent, 'later');
    assert.deepEqual([await text(whole), await text(none), await text(spoken)], ['abc', '', 'abc!']);
    await append(server, whole, 'mine');
    assert.deepEqual([await text(whole), await text(parent)], ['abcmine', 'abclater']);
  });

  it('can be forked again and again, also inside what is its grandparent’s, and is the same after a restart', async () => {
    const [a, b, c] = [large(), large(), large()];
    const parent = await stream([a]);
    const second = await fork(parent, { at: offsetOf(a.length) });
    await append(server, second, b);
    const third = await fork(second, { at: offsetOf(a.length), sub: '1000' });
    await append(server, third, c);
    const inside = await fork(third, { at: offsetOf(0), sub: '500' });
    await append(server, inside, b);
    await append(server, parent, 'later');
    const expected = [
      [parent, [a, Buffer.from('later')]],
      [second, [a, b]],
      [third, [a, b.subarray(0, 1000), c]],
      [inside, [a.subarray(0, 500), b]],
    ];
    const same = () =>
      everyCase(expected, async ([path, parts]) => {
        const whole = Buffer.concat(parts);
        const found = await catchUp(server, path);
        assert.deepEqual([found.bytes.length, sha256(found.bytes)], [whole.length, sha256(whole)]);
        const from = offsetOf(whole.length - parts.at(-1).length - 10); // where the parent's part still goes on
        assert.equal(sha256((await catchUp(server, path, from)).bytes), sha256(whole.subarray(-parts.at(-1).length - 10)));
      });
    await same();
    await server.restart();
    await same();
    await append(server, third, 'goes on');
    assert.equal((await catchUp(server, third)).bytes.subarray(-7).toString(), 'goes on');
  });

  it('begins in the middle of an append, or between two messages', async () => {
    const bytes = await stream(['hello', 'world']);
    assert.equal(await text(await fork(bytes, { at: offsetOf(5), sub: '2' })), 'hellowo');
    assert.equal(await text(await fork(bytes, { at: offsetOf(0), sub: '5' })), 'hello');
    const messages = await stream(['{"n":1}', '[{"n":2},{"n":3},{"n":4}]'], json);
    const path = await fork(messages, { at: offsetOf(7), sub: '2' });
    assert.deepEqual((await get(server, path)).json, [{ n: 1 }, { n: 2 }, { n: 3 }]);
    await append(server, path, '{"n":"mine"}', json);
    assert.deepEqual((await get(server, path)).json, [{ n: 1 }, { n: 2 }, { n: 3 }, { n: 'mine' }]);
    expectProblem(await put(fresh(), messages, { at: offsetOf(3) }), 400, { code: 'invalid_argument' });
  });

  it('sounds the same through every live door, from its parent’s part into its own and on', async () => {
    const parent = await stream([large(), 'x'.repeat(1000)]);
    const path = await fork(parent, { sub: '0' });
    await append(server, path, large());
    const doors = [WebSocketListener, ByteEventListener, LongPollListener];
    const listeners = [0, 700 * 1024 + 500].flatMap((position) =>
      doors.map((Door) => Object.assign(new Door(server, path), { position, from: position })),
    );
    const ends = listeners.map((listener) => listener.follow());
    const { offset } = await catchUp(server, path);
    await waitFor(() => listeners.every((x) => offsetOf(x.position) === offset), { what: 'all to have what is there' });
    await append(server, parent, 'not for them');
    await append(server, path, 'for them');
    await closeStream(server, path);
    await Promise.all(ends);
    const { bytes } = await catchUp(server, path);
    assert.equal(bytes.subarray(-8).toString(), 'for them');
    for (const { from, constructor, ...heard } of listeners)
      assert.equal(sha256(Buffer.concat(heard.chunks)), sha256(bytes.subarray(from)), `${constructor.name} from ${from}`);
  });

  it('outlives its parent, whose path is free again when the last fork is gone', async () => {
    const parent = await stream(['abc']);
    const [one, two] = [await fork(parent), await fork(parent, { at: offsetOf(1) })];
    await append(server, one, 'def');
    const grandchild = await fork(one, { at: offsetOf(2) });
    assert.equal((await remove(parent)).status, 204);
    assert.equal((await remove(one)).status, 204);
    const deleted = (...forks) =>
      everyCase([parent, one], async (path) => {
        expectProblem(await get(server, path), 410, { code: 'gone' });
        assert.equal((await ask(server, 'HEAD', path)).status, 410);
        expectProblem(await post(path, octets, 'x'), 410, { code: 'gone' });
        expectProblem(await remove(path), 410, { code: 'gone' });
        expectProblem(await ask(server, 'PUT', path, { headers: octets }), 409, { code: 'conflict' });
        expectProblem(await put(fresh(), path), 409, { code: 'conflict' });
        for (const [fork, has] of forks) assert.equal(await text(fork), has);
      });
    await deleted([grandchild, 'ab'], [two, 'a']);
    await server.restart();
    await deleted([grandchild, 'ab'], [two, 'a']);
    assert.equal((await remove(two)).status, 204);
    await deleted([grandchild, 'ab']);
    assert.equal((await remove(grandchild)).status, 204);
    for (const path of [parent, one]) {
      expectProblem(await get(server, path), 404);
      assert.equal((await ask(server, 'PUT', path, { headers: json })).status, 201);
      assert.deepEqual((await get(server, path)).json, []);
    }
  });

  it('is open although its parent is closed, and closed by itself', async () => {
    const parent = await stream(['abc']);
    await closeStream(server, parent);
    const path = await fork(parent);
    assert.equal((await ask(server, 'HEAD', path)).headers['stream-closed'], undefined);
    await append(server, path, 'def');
    assert.equal(await text(path), 'abcdef');
    const early = await fork(parent, { at: offsetOf(1) });
    await closeStream(server, early);
    expectProblem(await post(early, octets, 'x'), 409, { code: 'closed' });
    await append(server, path, 'ghi');
  });

  it('knows nothing of the producers of its parent', async () => {
    const parent = await stream();
    for (const seq of [0, 1]) assert.equal((await post(parent, by(5, seq), 'a')).status, 200);
    const path = await fork(parent);
    assert.equal((await post(path, by(0, 0), 'b')).status, 200, 'neither stale nor a gap');
    assert.equal((await post(parent, by(5, 2), 'c')).status, 200);
    assert.deepEqual([await text(parent), await text(path)], ['aac', 'aab']);
  });

  it('is found again when it is asked for again, and refused when it would be another', async () => {
    const [parent, other] = [await stream(['abc', 'def']), await stream(['abc'])];
    const path = await fork(parent, { at: offsetOf(3), sub: '1' });
    await append(server, path, 'mine');
    await append(server, parent, 'ghi');
    assert.equal((await put(path, parent, { at: offsetOf(3), sub: '1' })).status, 200);
    assert.equal((await put(path, parent, { at: offsetOf(3), sub: '1', headers: octets })).status, 200);
    expectProblem(await put(path, parent, { at: offsetOf(6) }), 409, { code: 'conflict' });
    expectProblem(await put(path, parent, { at: offsetOf(3) }), 409, { code: 'conflict' });
    expectProblem(await put(path, parent, { at: offsetOf(3), sub: '2' }), 409, { code: 'conflict' });
    expectProblem(await put(path, other, { at: offsetOf(3) }), 409, { code: 'conflict' });
    expectProblem(await ask(server, 'PUT', path, { headers: octets }), 409, { code: 'conflict' });
    expectProblem(await put(other, parent), 409, { code: 'conflict' });
    assert.equal(await text(path), 'abcdmine');
  });

  it('is refused where there is nothing to fork', async () => {
    const parent = await stream(['abc', 'def']);
    const path = fresh();
    await everyCase(['', 'x', '3', '-1', 'now', '0_3', `${offsetOf(3)}0`, '-3'], async (at) =>
      expectProblem(await put(path, parent, { at }), 400, { says: /Stream-Fork-Offset/ }),
    );
    await everyCase(['', 'x', '-1', '1.5', '01', '1e1', '4'], async (sub) =>
      expectProblem(await put(path, parent, { at: offsetOf(3), sub }), 400),
    );
    await everyCase(['', 'x', '/v1/generations', '/v1/stream'], async (from) => expectProblem(await put(path, from), 400));
    expectProblem(await put(path, parent, { at: offsetOf(7) }), 400, { says: new RegExp(offsetOf(6)) });
    expectProblem(await put(path, parent, { at: offsetOf(6), sub: '1' }), 400);
    expectProblem(await put(path, '/v1/stream/fork/none'), 404, { code: 'not_found' });
    expectProblem(await put(path, path), 404, { code: 'not_found' });
    expectProblem(await put(path, parent, { headers: json }), 409, { code: 'conflict' });
    for (const header of ['stream-fork-offset', 'stream-fork-sub-offset'])
      expectProblem(await ask(server, 'PUT', path, { headers: { ...octets, [header]: offsetOf(0) } }), 400, {
        says: /Stream-Forked-From/,
      });
    expectProblem(await get(server, path), 404, { what: 'nothing of it was created' });
  });

  it('is never made of a parent without a name', async () => {
    await everyCase(['/v1/stream/', `${server.url}/v1/stream/`, '/v1/stream/?a', '/v1/stream//'], async (from) => {
      const reply = await put(fresh(), from);
      assert(reply.status === 400 || reply.status === 404, `${reply.status} ${reply.text}`);
    });
  });
});
