// `segue doctor`: what it finds before a server is started, and what it leaves alone.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { append, createStream } from '../support/api.mjs';
import { everyCase } from '../support/cases.mjs';
import { get } from '../support/http.mjs';
import { run, said } from '../support/need.mjs';
import { Server, stablePort, temporaryFolder, useServer } from '../support/server.mjs';

describe('a doctor', { timeout: 60_000 }, () => {
  const server = useServer({ stable: true });

  it('finds a good place good and says what is wrong with a bad one', async () => {
    const place = join(temporaryFolder(), 'new');
    const good = await run('segue', ['doctor', '--data', place, '--listen', `127.0.0.1:${await stablePort()}`]);
    assert.equal(good.code, 0, said(good));
    assert(!existsSync(place), 'it makes nothing');
    const file = join(temporaryFolder(), 'no-folder');
    writeFileSync(file, '');
    const free = `127.0.0.1:${await stablePort()}`;
    const away = 's3://A:s@bucket/p?endpoint=http://127.0.0.1:1';
    const bad = [
      [['--data', join(file, 'below'), '--listen', free], /no-folder/],
      [['--data', '/proc/nope', '--listen', free], /\/proc\/nope/],
      [['--data', temporaryFolder(), '--listen', `127.0.0.1:${server.port}`], /in use/i],
      [['--data', temporaryFolder(), '--listen', free, '--soundfont', '/nope.sf2'], /\/nope\.sf2/],
      [['--data', server.data, '--listen', free], /BAD +data folder .*in use by another server \(process \d+\)/],
      [['--data', place, '--listen', free, '--tls-certificate', file, '--tls-key', file], /BAD +listen address .*no-folder/],
      [['--data', place, '--listen', free, '--cluster-listen', free], /BAD +listen address .*need a common secret/],
      [
        ['--data', place, '--listen', free, '--cluster-listen', `127.0.0.1:${server.port}`, '--cluster-secret', 'x'.repeat(64)],
        /BAD +other nodes .*in use/i,
      ],
      [['--data', place, '--listen', free, '--catalogue', `sqlite:${join(file, 'below', 'c.sqlite')}`], /BAD +stores .*no-folder/],
      [['--data', place, '--listen', free, '--objects', 'file:/proc/nope'], /BAD +stores .*\/proc\/nope/],
      [['--data', place, '--listen', free, '--objects', 's3:k:s@bucket'], /BAD +stores .*is no URL/],
      [['--data', place, '--listen', free, '--cache', 'redis://127.0.0.1:1/0'], /BAD +stores +cache \(a server starts without it\): .*Redis at 127/],
      [['--data', place, '--listen', free, '--objects', away], /BAD +stores +objects: reading object .*s3:\/\/\*\*\*@bucket/],
      [
        ['--json', '--data', place, '--listen', free, '--objects', away, '--chunk-store', 'redis://127.0.0.1:1/0'],
        /"ok":false,.*"stores","ok":false,"detail":"chunk-store: [^"]*; objects: /,
      ],
      [['--listen', free, '--join', '127.0.0.1:1', '--cluster-secret', 'x'.repeat(64)], /BAD +other nodes .*Connection refused/],
    ];
    await everyCase(bad, async ([args, says]) => {
      const result = await run('segue', ['doctor', ...args]);
      assert.equal(result.code, 1, said(result));
      assert.match(said(result), says);
    });
  });

  it('leaves the stores of a running server as they are', async () => {
    const { data } = server;
    const sizes = () =>
      readdirSync(data, { recursive: true })
        .filter((name) => /\.(log|sst|sqlite)$/.test(name))
        .map((name) => [name, statSync(join(data, name)).size]);
    const path = '/v1/stream/examined';
    await createStream(server, path);
    const before = sizes();
    assert(before.length > 1, before.join());
    for (let i = 0; i < 5; ++i) await run('segue', ['doctor', '--data', data, '--listen', '127.0.0.1:0']);
    assert.deepEqual(sizes(), before);
    for (let i = 0; i < 5; ++i) await append(server, path, 'kept');
    await server.kill();
    await server.start();
    assert.equal((await get(server, `${path}?offset=-1`)).text, 'kept'.repeat(5));
  });

  it('says when everybody on the machine may read a data folder; one that is made is its owner’s alone', async () => {
    const modeOf = (folder) => (statSync(folder).mode & 0o777).toString(8);
    const [data, migrated] = ['data', 'migrated'].map((name) => join(temporaryFolder(), 'new', name));
    const of = (command, folder) => run('segue', [command, '--data', folder, '--listen', '127.0.0.1:0']);
    const another = await new Server({ data }).start();
    try {
      assert.equal(modeOf(data), '700');
      assert.equal((await of('migrate', migrated)).code, 0);
      assert.equal(modeOf(migrated), '700');
      await another.stop();
      assert.match((await of('doctor', data)).stdout, /ok +data folder +\S+ is writable and free$/m);
      chmodSync(data, 0o755);
      await another.start();
      await another.stop();
      assert.equal(modeOf(data), '755', 'it is left as somebody wanted it');
      assert.match((await of('doctor', data)).stdout, /ok +data folder +.* every user of this machine may read it: chmod 700 \/\S+\/data$/m);
    } finally {
      await another.dispose();
    }
  });
});
