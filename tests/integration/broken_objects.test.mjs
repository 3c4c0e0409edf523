// Objects of archived pieces that are no longer what was stored: never played, and an operator's to repair.
import assert from 'node:assert/strict';
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { offsetOf } from '../support/api.mjs';
import { everyCase } from '../support/cases.mjs';
import { assertPlays } from '../support/doors.mjs';
import { ask, expectProblem, get, open, sha256, waitFor } from '../support/http.mjs';
import { ByteEventListener, WebSocketListener } from '../support/listeners.mjs';
import { useServer } from '../support/server.mjs';
import {
  dead,
  noise,
  objectsOf,
  pushPiece,
  transferOf,
  transfersOf,
  untilAway,
  untilBack,
  untilTransfer,
} from '../support/tiers.mjs';

const size = 1_500_000; // more than one page of catch-up

describe('an object', { concurrency: true, timeout: 60_000 }, () => {
  const archive = ['--policy', 'archive', '--archive-after', '1s', '--idle', '500ms', '--cache', 'none:'];
  const server = useServer({ args: [...archive, '--transfer-attempts', '2'] });

  /// What is heard of `path` until it ends or is cut: `{status, whole, bytes}`.
  const hear = async (path, headers) => {
    const response = await open(server, 'GET', path, { headers });
    const bytes = [];
    const refused = response.statusCode >= 500; // then it is told why, which is no sound
    try {
      for await (const part of response) if (!refused) bytes.push(part);
    } catch {
      // which `complete` says as well
    }
    return { status: response.statusCode, whole: response.complete && !refused, bytes: Buffer.concat(bytes) };
  };
  const atFault = size - 300_000;
  const faults = {
    'a byte of it has changed': (file) => {
      const bytes = readFileSync(file);
      bytes[atFault] ^= 1;
      writeFileSync(file, bytes);
    },
    'it ends too early': (file) => truncateSync(file, atFault),
    'it is away': (file) => rmSync(file),
  };
  for (const [fault, inflict] of Object.entries(faults))
    it(`is never played when ${fault}; once it is repaired, a retry brings it back`, async () => {
      const sound = noise(size);
      const piece = { ...(await pushPiece(server, sound)), sound };
      const { urls, request_id: id } = piece;
      const row = await untilAway(server, id);
      const file = join(server.data, 'objects', objectsOf(id)[1]);
      inflict(file);
      const assertCut = ({ whole, bytes }) => {
        assert(!whole && bytes.length <= atFault, `${bytes.length} bytes, ${whole ? 'whole' : 'cut'}`);
        assert.equal(sha256(bytes), sha256(sound.subarray(0, bytes.length)), 'nothing but sound');
      };
      await everyCase([urls.audio, urls.download], async (path) => assertCut(await hear(path)));
      const { status, whole, bytes } = await hear(urls.audio, { range: `bytes=${atFault - 10}-${atFault + 10}` });
      assert.deepEqual([status, whole, bytes.length], [500, false, 0], 'a range that cannot be had');
      for (const live of ['', 'live=long-poll&']) {
        const reply = await get(server, `${urls.audio_stream}?${live}offset=${offsetOf(atFault)}`);
        expectProblem(reply, 500, { what: 'not 404: the piece is not gone' });
        assert(!reply.text.includes(server.data), `nobody is told where files lie: ${reply.text}`);
      }
      for (const Door of [WebSocketListener, ByteEventListener]) {
        const listener = new Door(server, urls.audio_stream);
        const following = listener.follow();
        await waitFor(() => listener.cuts > 0, { what: 'the listener to be cut off' });
        listener.leave();
        await following;
        assertCut({ whole: listener.done, bytes: listener.bytes });
      }
      const letter = await untilTransfer(server, id, dead);
      assert.deepEqual([letter.kind, letter.attempts], ['download', 2]);
      assert.match(letter.error, /^(corrupt|not_found): /);
      assert((await transfersOf(server, { dead: true })).some((one) => one.id === letter.id));
      assert.match(server.log, new RegExp(`error .*${id}`), 'it is logged');

      writeFileSync(file, sound);
      await assertPlays('player', server, piece); // at once; that it comes back is for an operator to say
      assert.equal((await transferOf(server, id)).state, 'dead');
      const retried = await ask(server, 'POST', `/v1/transfers/${letter.id}/retry`);
      assert.deepEqual([retried.status, retried.json.state, retried.json.attempts], [200, 'waiting', 0]);
      await untilBack(server, id, row);
      await assertPlays('catch-up', server, piece);
    });
});
