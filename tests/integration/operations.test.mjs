// What an operator sees and does: metrics, health, the actor tree, logs, stopping, and starts that are refused.
import assert from 'node:assert/strict';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { assertWholeStory, completed, eventsOf, generate, hasSound, makePiece, metricsOf, until } from '../support/api.mjs';
import { everyCase } from '../support/cases.mjs';
import { get, sha256, waitFor } from '../support/http.mjs';
import { EventListener, PollingListener, ProgressiveListener, WebSocketListener } from '../support/listeners.mjs';
import { run, said } from '../support/need.mjs';
import { refusedStart, Server, temporaryFolder, useServer } from '../support/server.mjs';

function allActors(actors) {
  return actors.flatMap((actor) => [actor, ...allActors(actor.children)]);
}

describe('a running server', { timeout: 60_000 }, () => {
  const server = useServer();

  it('is alive and ready and says so', async () => {
    const health = await get(server, '/healthz');
    assert.deepEqual([health.status, health.json], [200, { status: 'ok' }]);
    const { status, json } = await get(server, '/readyz');
    assert.equal(status, 200);
    assert.equal(json.ready, true);
    assert(Array.isArray(json.checks) && json.checks.length > 0, JSON.stringify(json));
  });

  it('has metrics that promtool finds clean, and that move', async () => {
    const before = await metricsOf(server);
    const piece = await makePiece(server, { duration_s: 5 });
    await get(server, piece.urls.audio);
    const after = await metricsOf(server);
    for (const { text } of [before, after]) {
      const check = await run('promtool', ['check', 'metrics'], { input: text });
      assert.deepEqual([check.code, check.stdout + check.stderr], [0, '']);
    }
    const grown = Object.keys(after.samples).filter((name) => /_total\b/.test(name) && after.samples[name] > (before.samples[name] ?? 0));
    for (const about of [/generation/, /bytes/, /request/])
      assert(
        grown.some((name) => about.test(name)),
        `a counter of ${about} grew; those that did:\n${grown.join('\n')}`,
      );
    assert(
      Object.keys(after.samples).every((name) => /^(segue|process)_/.test(name)),
      'every family has the name of the program',
    );
    assert(!after.text.includes(piece.request_id), 'no label is as many-valued as ids are');
  });

  it('shows its tree of actors', async () => {
    const { status, json } = await get(server, '/v1/system');
    assert.equal(status, 200);
    const actors = allActors(json.actors);
    for (const { name, state, queued, restarts } of actors) {
      assert(typeof name === 'string' && name !== '', JSON.stringify(json));
      assert.equal(typeof state, 'string', name);
      assert(Number.isInteger(queued) && queued >= 0, name);
      assert(Number.isInteger(restarts) && restarts >= 0, name);
    }
    for (const role of ['tenant', 'directory', 'manager', 'host'])
      assert(
        actors.some(({ name }) => name.includes(role)),
        `a ${role}: ${actors.map(({ name }) => name).join(' ')}`,
      );
  });

  it('serves the page and its parts', async () => {
    const { status, headers, text } = await get(server, '/');
    assert.equal(status, 200);
    assert.match(headers['content-type'], /^text\/html; *charset=utf-8$/i);
    const parts = [...text.matchAll(/(?:src|href)="(\/web\/[^"]+)"/g)].map(([, path]) => path);
    assert(parts.length >= 2, text);
    for (const path of parts) assert.equal((await get(server, path)).status, 200, path);
    assert.doesNotMatch(text, /https?:\/\/(?!127\.0\.0\.1|www\.w3\.org)/, 'nothing is loaded from elsewhere');
  });
});

describe('logs', { timeout: 60_000 }, () => {
  const texts = useServer();
  const jsons = useServer({ args: ['--log-format', 'json'] });
  const linesOf = (server) => Buffer.concat(server.lines).toString().split('\n').slice(0, -1);
  const work = (server) => makePiece(server, { prompt: 'a "quoted"\nprompt', duration_s: 5 });

  it('are lines of time, level, component, event and prose', async () => {
    await work(texts);
    const lines = linesOf(texts);
    assert(lines.length >= 3, lines.join('\n'));
    for (const line of lines)
      assert.match(line, /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S* +\[?(trace|debug|info|warn|warning|error|critical)\]? +\S+ +\S+ +\S/i);
  });

  it('are one JSON object a line with --log-format json', async () => {
    await work(jsons);
    const lines = linesOf(jsons);
    assert(lines.length >= 3, lines.join('\n'));
    for (const line of lines) {
      const record = JSON.parse(line);
      for (const member of ['component', 'event', 'message']) assert(typeof record[member] === 'string' && record[member] !== '', line);
      assert.match(record.event, /^[a-z0-9_.-]+$/, 'the event is a stable id');
    }
  });

  it('of every command are as the settings say', async () => {
    const away = ['--objects', 's3://key:secret@bucket?endpoint=http://127.0.0.1:1'];
    const of = async (...args) => (await run('segue', ['doctor', '--data', temporaryFolder(), ...away, ...args])).stderr;
    assert.match(await of(), /^\d{4}-\S+ warning objects store_away: /);
    assert.equal(JSON.parse(await of('--log-format', 'json')).event, 'store_away');
    assert.equal(await of('--log-level', 'error'), '');
  });
});

describe('SIGTERM', { timeout: 60_000 }, () => {
  const server = useServer({ stable: true });

  it('ends a busy server within ten seconds, cuts its listeners, and loses nothing', async () => {
    const wishes = [
      { duration_s: 8, pace: 'realtime', seed: 1 },
      { duration_s: 300, seed: 2 },
    ];
    const made = await Promise.all(wishes.map((wish) => generate(server, wish)));
    const [{ request_id: id, urls }] = made;
    await until(server, id, hasSound);
    const listeners = [
      new ProgressiveListener(server, urls.audio),
      new ProgressiveListener(server, urls.download),
      new PollingListener(server, urls.audio_stream),
      new EventListener(server, urls.events),
      new WebSocketListener(server, urls.audio_stream),
    ];
    const following = Promise.all(listeners.map((listener) => listener.follow()));
    following.catch(() => {}); // shown where it is awaited
    await waitFor(() => listeners.every((listener) => listener.position > 0), { what: 'every listener to hear something' });
    const { ms } = await server.stop();
    assert(ms < 10_000, `${ms} ms`);
    await waitFor(() => listeners.every((listener) => listener.down), {
      what: 'every listener to notice: a cut must not look like the end',
    });
    assert.equal(listeners[4].code, 1001, 'a WebSocket is told that the server goes');
    await server.start();
    await following;
    for (const { request_id } of made) {
      await until(server, request_id, completed);
      assert.equal(assertWholeStory(await eventsOf(server, request_id), request_id).type, 'completed');
    }
    const sum = sha256((await get(server, urls.audio)).body);
    for (const listener of [...listeners.slice(0, 3), listeners[4]]) assert.equal(sha256(listener.bytes), sum, listener.path);
    assert.deepEqual(listeners[3].events, await eventsOf(server, id));
  });
});

describe('a start', { concurrency: 2, timeout: 60_000 }, () => {
  const server = useServer();
  const fresh = (...args) => ['--listen', '127.0.0.1:0', '--data', temporaryFolder(), ...args];

  it('on a folder that another server holds is refused', async () => {
    const output = await refusedStart(['--listen', '127.0.0.1:0', '--data', server.data]);
    assert.match(output, /in use|lock|another|already/i);
    assert(output.includes(server.data), output);
    assert.equal((await get(server, '/healthz')).status, 200, 'the first goes on');
  });

  it('on a catalogue that another server holds is refused, however it is reached', async () => {
    const file = join(temporaryFolder(), 'catalogue.sqlite');
    const link = join(temporaryFolder(), 'link.sqlite');
    symlinkSync(file, link);
    const first = new Server({ args: ['--catalogue', `sqlite:${file}`] });
    try {
      await first.start();
      for (const [held, name] of [
        [first, file],
        [first, link],
        [server, join(server.data, 'catalogue.sqlite')],
      ]) {
        const other = fresh('--catalogue', `sqlite:${name}`);
        assert.match(await refusedStart(other), new RegExp(`${name} is in use by another server \\(process ${held.pid}\\)`));
        const doctor = await run('segue', ['doctor', ...other]);
        assert.equal(doctor.code, 1);
        assert.match(doctor.stdout, /BAD +stores +.*is in use by another server/);
        for (const command of ['migrate', 'keys ls']) assert.equal((await run('segue', [...command.split(' '), ...other])).code, 0, command);
      }
      await first.restart();
      await first.stop();
    } finally {
      await first.dispose();
    }
  });

  it('on a folder that cannot be written to is refused', async () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, 'not a folder');
    for (const data of [file, join(file, 'below'), '/proc/nope']) {
      const output = await refusedStart(['--listen', '127.0.0.1:0', '--data', data]);
      assert(output.includes(data), `${data} is named: ${output}`);
    }
  });

  it('without its soundfont is refused', async () => {
    const output = await refusedStart(fresh('--soundfont', '/nope.sf2'));
    assert.match(output, /soundfont/i);
    assert(output.includes('/nope.sf2'), output);
  });

  it('on a port in use is refused', async () => {
    const output = await refusedStart(['--listen', `127.0.0.1:${server.port}`, '--data', temporaryFolder()]);
    assert.match(output, /in use/i);
    assert(output.includes(String(server.port)), output);
  });

  it('on an address that others can reach needs --insecure', async () => {
    assert.match(await refusedStart(['--listen', '0.0.0.0:0', '--data', temporaryFolder()]), /--insecure/);
    const open = new Server({ host: '0.0.0.0', args: ['--insecure'] });
    try {
      await open.start();
      await open.stop();
    } finally {
      await open.dispose();
    }
  });

  it('with an address or a configuration that makes no sense is refused', async () => {
    for (const address of ['nonsense', '127.0.0.1', '127.0.0.1:99999', '127.0.0.1:x'])
      assert.match(await refusedStart(['--listen', address, '--data', temporaryFolder()]), /listen/i);
    assert.match(await refusedStart(fresh('--log-format', 'xml')), /text.*json|json.*text/is);
    assert.match(await refusedStart(fresh('--config', '/nope.conf')), /\/nope\.conf/);
    assert.match(await refusedStart(fresh('--no-such-option')), /no-such-option/);
  });

  it('that can never succeed exits with 2, as whoever starts it again has to know', async () => {
    const twice = join(temporaryFolder(), 'segue.json');
    writeFileSync(twice, '{"policy": "keep", "policy": "archive"}');
    const two = join(temporaryFolder(), 'two.json');
    writeFileSync(two, '{"tenants": {"a": {}, "b": {}}}');
    const folder = temporaryFolder();
    const networked = fresh('--chunk-store', 'redis://127.0.0.1:1/0', '--catalogue', 'postgresql://127.0.0.1:1/a');
    const edge = fresh('--join', '127.0.0.1:1', '--cluster-secret', 'x'.repeat(64));
    const cases = [
      [['serve', ...fresh('--objects', 's3:k:s@bucket')], /objects: .*is no URL/],
      [['serve', ...fresh('--objects', 's3://x')], /objects: s3: the access key or the secret is missing/],
      [['serve', ...fresh('--objects', 's3://k:s@Ab')], /objects: .*is not the name of a bucket/],
      [['serve', ...fresh('--objects', 'file:rel')], /objects: .*must be "file:" or like "file:\/absolute\/folder"/],
      [['serve', ...fresh('--chunk-store', 'redis://127.0.0.1:1/abc')], /chunk-store: .*"abc" is not the number of a database/],
      [['serve', ...fresh('--chunk-store', 'redis://127.0.0.1:1?durability=foo')], /chunk-store: .*there is no durability "foo"/],
      [['serve', ...fresh('--cache', 'redis://127.0.0.1:1?prefix=a:&foo=1')], /cache: .*there is no parameter "foo"/],
      [['serve', ...fresh('--catalogue', 'postgresql://127.0.0.1:1/a?sslmode=maybe')], /catalogue: .*"maybe" is no sslmode/],
      [['migrate', ...fresh('--catalogue', 'postgresql://127.0.0.1:1/a?schema=A-b')], /catalogue: .*"A-b" cannot be the schema/],
      [['keys', 'ls', ...fresh('--catalogue', 'sqlite:foo')], /catalogue: .*or like "sqlite:\/absolute\/file"/],
      [['work', ...networked, '--objects', 's3://k:s@bucket:80'], /objects: .*a bucket has no port/],
      [['serve', ...fresh('--generator', 'http://')], /generator: .*must be like http/],
      [['serve', ...fresh('--generator', 'http://a:b')], /generator: .*must be like http/],
      [['serve', ...fresh('--generator', 'synth:loud')], /generator: .*must be "synth:", with nothing behind it/],
      [['serve', ...fresh('--chunk-store', 'rocksdb:/x')], /chunk-store: "rocksdb:\/x" is not possible; it must be "rocksdb:"/],
      [['serve', ...fresh('--cache', 'memory:foo')], /cache: "memory:foo" is not possible; it must be "memory:"/],
      [['serve', ...edge, '--cache', 'none:'], /--join and --cache exclude each other: an edge node keeps and makes nothing/],
      [['serve', ...edge, '--generator', 'http://127.0.0.1:1'], /--join and --generator exclude each other/],
      [['serve', ...fresh('--tls-key', 'x')], /belong together/],
      [['serve', '--listen', '0.0.0.0:0', '--data', folder], /is not a loopback address/],
      [['serve', ...fresh('--join', '127.0.0.1:1')], /nodes need a common secret/],
      [['serve', ...fresh('--transfers', 'elsewhere')], /--transfers elsewhere needs/],
      [['keys', 'add', '--data', folder, '--tenant', 'nope', '--user', 'a', '--role', 'reader'], /there is no tenant "nope"/],
      [['keys', 'ls', '--data', folder, '--config', two], /say which tenant/],
      [['serve', ...fresh('--no-such-option')], /no-such-option/],
      [['serve', ...fresh('--idle', '0s')], /idle: "0s" is not possible/],
      [['serve', ...fresh('--config', '/nope.conf')], /\/nope\.conf cannot be read/],
      [['serve', ...fresh('--config', temporaryFolder())], /segue-test-\S+ is a folder/],
      [['serve', ...fresh('--config', twice)], /segue\.json: policy is there twice/],
      [['serve', ...fresh('--generator', 'foo')], /generator: it must begin with one of http:, synth:/],
      [['serve', ...fresh('--chunk-store', 'foo:')], /chunk-store: it must begin with one of memory:, redis:, rocksdb:/],
      [['keys', 'add', '--user', 'a b', '--role', 'reader'], /--user: "a b" is no user id; it must be 1 to 64/],
    ];
    await everyCase(cases, async ([args, says]) => {
      const result = await run('segue', args);
      assert.equal(result.code, 2, said(result));
      assert.match(result.stderr, says);
    });
  });

  it('that may succeed another time exits with 1', async () => {
    const taken = [
      ['--listen', '127.0.0.1:0', '--data', server.data],
      ['--listen', `127.0.0.1:${server.port}`, '--data', temporaryFolder()],
      fresh('--chunk-store', 'redis://127.0.0.1:1/0'),
    ];
    await everyCase(taken, async (args) => assert.equal((await run('segue', ['serve', ...args])).code, 1));
  });
});
