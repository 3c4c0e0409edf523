// Workers that move finished pieces between networked stores, beside a server that does not: `segue work`, and what an operator
// does about transfers that have failed.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { catchUp, metricsOf, soundOf } from '../support/api.mjs';
import { ask, get, open, sha256, waitFor } from '../support/http.mjs';
import { run } from '../support/need.mjs';
import { useNetworked } from '../support/networked.mjs';
import { refusedStart, temporaryFolder } from '../support/server.mjs';
import {
  Worker,
  bucketOf,
  dead,
  evicted,
  noise,
  pushPiece,
  removed,
  stored,
  transferOf,
  transfersOf,
  untilAway,
  untilBack,
  untilTransfer,
} from '../support/tiers.mjs';

const idsOf = (pieces) => pieces.map(({ request_id: id }) => id);
const audioOf = (id) => `generations/${id}/audio`;

describe('transfers by two workers', { timeout: 90_000 }, () => {
  const all = useNetworked({
    settings: {
      transfers: 'elsewhere',
      cache: 'none:',
      idle: '600ms',
      'archive-after': '300ms',
      'object-part': '5MiB',
      'transfer-attempts': 2,
      'transfer-lease': '6s',
      'store-timeout': '3s',
      lease: '60s', // which nobody asks for in the middle of a test
    },
  });
  let workers;
  before(async () => {
    workers = await Promise.all([1, 2].map(() => new Worker(['--config', all.configuration]).start()));
  });
  after(() => Promise.all(workers?.map((worker) => worker.stop()) ?? []));

  const bucket = () => bucketOf(all.stores.radosgw);
  const objectsOf = async (id) => Object.keys((await bucket()).objects).filter((key) => key.includes(id));
  const purge = (id) => ask(all.server, 'DELETE', `/v1/generations/${id}?purge=true`);

  async function archived(sound) {
    const piece = await pushPiece(all.server, sound, { size: 1 << 20 });
    const row = await untilAway(all.server, piece.request_id);
    return { id: piece.request_id, urls: piece.urls, sound, row };
  }

  it('every piece is moved once, by one of them, and the server moves nothing', async () => {
    const { server, gates } = all;
    await gates.radosgw.slow(1_000_000); // bytes per second of each connection: no worker is through before the other one looks
    const sounds = Array.from({ length: 12 }, () => noise(600_000));
    const holders = new Set();
    const watching = setInterval(async () => {
      for (const { holder } of await transfersOf(server).catch(() => [])) if (holder) holders.add(holder.split('/')[1]);
    }, 10);
    const pieces = await Promise.all(sounds.map((sound) => pushPiece(server, sound)));
    for (const id of idsOf(pieces)) await untilTransfer(server, id, evicted);
    clearInterval(watching);
    await gates.radosgw.pass();

    const wanted = idsOf(pieces).flatMap((id) => [`evict ${audioOf(id)}`, `upload ${audioOf(id)}`]);
    const said = (count) => waitFor(() => workers.flatMap((worker) => worker.steps).length >= count, { what: `${count} steps in the logs` });
    await said(wanted.length); // they say so when the row is written
    const steps = workers.map((worker) => worker.steps);
    assert.deepEqual(steps.flat().sort(), wanted.sort(), 'each step once');
    for (const [i, own] of steps.entries()) assert(own.length > 0, `worker ${i + 1} did ${own.length} of 24 steps`);
    const known = new Set(workers.map(({ pid }) => String(pid)));
    assert(holders.size > 0 && [...holders].every((pid) => known.has(pid)), `${[...holders]} held them, of ${[...known]}`);
    const { samples } = await metricsOf(server);
    assert.equal(samples.segue_transferred_bytes_total, 0);
    assert(!server.log.includes('step_done'));

    const there = Object.keys((await bucket()).objects);
    assert.deepEqual(
      there.sort(),
      idsOf(pieces)
        .flatMap((id) => ['json', 'mp3'].map((type) => `pieces/${audioOf(id)}.${type}`))
        .sort(),
    );
    const comeBack = async ({ request_id: id }, i) => {
      const row = await transferOf(server, id);
      assert.equal(sha256(await soundOf(server, id)), sha256(sounds[i]), 'it plays from its object');
      await untilBack(server, id, row);
    };
    await Promise.all(pieces.map(comeBack));
    await said(wanted.length + pieces.length);
    const fetched = workers.flatMap((worker) => worker.steps).filter((step) => step.startsWith('download '));
    assert.deepEqual(
      fetched.sort(),
      idsOf(pieces)
        .map((id) => `download ${audioOf(id)}`)
        .sort(),
      'each was brought back once',
    );
  });

  it('a large piece goes in parts, and comes back whole', async () => {
    const { id, urls, sound, row } = await archived(noise(12_000_000));
    const { objects, uploads } = await bucket();
    assert.match(objects[`pieces/${audioOf(id)}.mp3`], /-[23]$/, 'in parts');
    assert.deepEqual(uploads, []);
    assert.equal(sha256(await soundOf(all.server, id)), sha256(sound));
    await untilBack(all.server, id, row);
    assert.equal(sha256((await catchUp(all.server, urls.audio_stream)).bytes), sha256(sound));
    assert.equal((await purge(id)).status, 204);
    await untilTransfer(all.server, id, removed);
    assert.deepEqual(await objectsOf(id), []);
  });

  it('a large piece that is purged in the middle of its upload leaves nothing behind', async () => {
    const { server, gates } = all;
    await gates.radosgw.slow(8_000_000); // bytes per second: a part takes most of a second
    const { request_id: id } = await pushPiece(server, noise(12_000_000), { size: 1 << 20 });
    const inTheMiddle = ({ kind, state, bytes_done }) => kind === 'upload' && state === 'running' && bytes_done > 0;
    await untilTransfer(server, id, inTheMiddle);
    assert.equal((await bucket()).uploads.length, 1);
    assert.equal((await purge(id)).status, 204);
    await gates.radosgw.pass();
    await untilTransfer(server, id, removed);
    assert.deepEqual(await objectsOf(id), []);
    assert.deepEqual((await bucket()).uploads, [], 'no parts that nobody will ever look for');
  });

  it('who reads at the very moment when a piece comes back hears it', async () => {
    const { server, stores, gates } = all;
    const { id, urls, sound } = await archived(noise(600_000));
    const direct = join(temporaryFolder(), 'segue.json'); // for a worker who is not behind the gate that is closed
    const text = readFileSync(all.configuration, 'utf8').replaceAll(`:${gates.redis.port}/`, `:${stores.redis.port}/`);
    writeFileSync(direct, text, { mode: 0o600 });
    const helper = new Worker(['--config', direct]);
    const asked = async () => /cmdstat_evalsha:calls=(\d+)/.exec(await stores.redis.command('INFO', 'commandstats'))[1];
    for (const worker of workers) await worker.stop();
    try {
      await get(server, `${urls.audio_stream}?offset=now`); // its stream is in memory
      const before = await asked();
      await gates.redis.slow(100); // bytes per second: that the chunk store has nothing is an answer that takes a while
      const reading = get(server, `${urls.audio_stream}?offset=-1`);
      await waitFor(async () => (await asked()) !== before, { every: 1, what: 'the chunk store to be asked' });
      await gates.redis.hang();
      await helper.start();
      await untilTransfer(server, id, stored);
      await helper.kill();
      await gates.redis.pass();
      const { status, body } = await reading;
      assert.equal(status, 200, body.toString('latin1', 0, 200));
      assert.equal(sha256(body), sha256(sound));
    } finally {
      await gates.redis.pass();
      await helper.kill();
      for (const worker of workers) await worker.start();
    }
  });

  describe('an operator', () => {
    const transfers = (...args) => run('segue', ['transfers', ...args, '--server', all.server.url]);
    const deadLetters = async () => JSON.parse((await transfers('ls', '--dead', '--json')).stdout).transfers;
    const folder = temporaryFolder();

    /// Writes the object of a piece anew.
    async function write(id, sound) {
      const file = join(folder, id);
      writeFileSync(file, sound);
      const { radosgw } = all.stores;
      const { status } = await radosgw.request('PUT', `/alpha/pieces/${audioOf(id)}.mp3`, radosgw.tenant, `@${file}`);
      assert.equal(status, 200);
    }

    /// A piece whose object was changed, and which somebody wanted to hear since.
    async function brokenPiece() {
      const piece = await archived(noise(600_000));
      const other = Buffer.from(piece.sound);
      other[500_000] ^= 1;
      await write(piece.id, other);
      const response = await open(all.server, 'GET', piece.urls.audio);
      const heard = [];
      const ending = await response.forEach((part) => heard.push(part)).catch((error) => error.code);
      const refused = response.statusCode === 500; // before its first byte, when that is in the record that has changed
      assert(refused || ending === 'ECONNRESET', 'it is refused, or cut');
      assert(refused || piece.sound.subarray(0, Buffer.concat(heard).length).equals(Buffer.concat(heard)), 'nothing but its sound');
      return { ...piece, letter: await untilTransfer(all.server, piece.id, dead) };
    }

    it('sees dead letters, and tries them again or drops them', async () => {
      const { server } = all;
      const [one, two] = await Promise.all([brokenPiece(), brokenPiece()]);
      const list = await transfers('ls', '--dead');
      assert.equal(list.code, 0, list.stderr);
      for (const { id, letter } of [one, two])
        assert.match(list.stdout, new RegExp(`^ *${letter.id} +download +dead +2 .*${id.slice(0, 8)}.*corrupt`, 'm'));
      assert.deepEqual((await deadLetters()).map(({ id }) => id).sort(), [one, two].map(({ letter }) => letter.id).sort());

      await write(one.id, one.sound);
      const retried = await transfers('retry', String(one.letter.id));
      assert.deepEqual(
        [retried.code, retried.stdout],
        [0, `${one.letter.id}: download of ${audioOf(one.id)} is tried again\n`],
      );
      await untilBack(server, one.id, one.row);
      assert.equal(sha256(await soundOf(server, one.id)), sha256(one.sound));

      const dropped = await transfers('drop', String(two.letter.id));
      assert.deepEqual([dropped.code, dropped.stdout], [0, `${two.letter.id}: download of ${audioOf(two.id)} is dropped\n`]);
      assert.equal(await transferOf(server, two.id), undefined);
      assert.deepEqual(await deadLetters(), []);
      assert.equal((await transfers('retry', String(two.letter.id))).code, 4, 'there is none any more');
      await write(two.id, two.sound);
      // Once nobody has its stream in memory, playing it brings it back all the same.
      const back = async () => {
        assert.equal(sha256(await soundOf(server, two.id)), sha256(two.sound));
        return transferOf(server, two.id);
      };
      await waitFor(back, { deadline: 20_000, every: 1_000, what: 'it to be fetched' });
      await untilBack(server, two.id, two.row);
    });

    it('cannot try again what is done, nor drop what is not there', async () => {
      const { id } = (await transfersOf(all.server)).find(({ state }) => state === 'done');
      const again = await transfers('retry', String(id));
      assert.equal(again.code, 2, again.stderr);
      assert.equal((await transfers('drop', '999999')).code, 4);
    });

    it('is told by `segue migrate` that the catalogue is up to date, and no password', async () => {
      const { code, stdout, stderr } = await run('segue', ['migrate', '--config', all.configuration]);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /^default: postgresql:\/\/.* is up to date\n$/);
      const { password } = all.stores.postgres.tenant;
      assert(!stdout.includes(password) && !stderr.includes(password));
    });
  });

  it('everything goes when it is purged', async () => {
    const ids = (await transfersOf(all.server)).map(({ path }) => path.split('/')[1]);
    for (const id of ids) await purge(id);
    for (const id of ids) await untilTransfer(all.server, id, removed);
    assert.deepEqual(await bucket(), { objects: {}, uploads: [] });
  });
});

describe('segue work', () => {
  it('refuses stores that only the server can use', async () => {
    for (const [args, says] of [
      [[], /--chunk-store rocksdb: can be used by one process alone.*needs redis:\/\/ and postgresql:\/\//],
      [['--chunk-store', 'redis://127.0.0.1:1/0'], /--catalogue sqlite: can be used by one process alone/],
      [
        ['--chunk-store', 'redis://127.0.0.1:1/0', '--catalogue', 'postgresql://127.0.0.1:1/a'],
        /--objects file: is a folder of this process alone.*needs s3:\/\/.*file:\/FOLDER/,
      ],
    ]) {
      const { code, stdout, stderr } = await run('segue', ['work', '--data', temporaryFolder(), ...args]);
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(stderr, says);
    }
  });

  it('is not waited for by a server that keeps objects where no worker finds them', async () => {
    const says = await refusedStart(['--data', temporaryFolder(), '--listen', '127.0.0.1:0', '--transfers', 'elsewhere']);
    assert.match(says, /--transfers elsewhere needs --objects that every worker reaches.*s3:\/\/.*file:\/FOLDER/);
  });
});
