// `segue transfers` at the prompt of a shell.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { everyCase } from '../support/cases.mjs';
import { run, said } from '../support/need.mjs';
import { useServer } from '../support/server.mjs';

describe('transfers at the shell', { timeout: 60_000 }, () => {
  const server = useServer();
  const transfers = (...args) => run('segue', ['transfers', ...args, '--server', server.url]);

  it('says that there are none, to people and to programs', async () => {
    const none = await transfers('retry', '--all');
    assert.deepEqual([none.code, none.stdout], [0, ''], said(none));
    assert.match(none.stderr, /^no dead letters$/m);
    for (const args of [['ls'], ['ls', '--dead'], ['ls', '--limit', '5']]) {
      const people = await transfers(...args);
      assert.equal(people.code, 0, said(people));
      assert.match(people.stderr, /^no (transfers|dead letters)$/m);
      const programs = await transfers(...args, '--json');
      assert.equal(programs.code, 0, said(programs));
      assert.deepEqual(JSON.parse(programs.stdout), { transfers: [], next: null });
    }
  });

  it('exits with 4 and the id when there is no such transfer', async () => {
    for (const what of ['retry', 'drop']) {
      const people = await transfers(what, '987654', '987655');
      assert.equal(people.code, 4, said(people));
      assert.match(people.stderr, /987654.*\n.*987655/);
      const programs = await transfers(what, '987654', '--json');
      assert.equal(programs.code, 4, said(programs));
      const { transfers: changed, failed } = JSON.parse(programs.stdout);
      assert.deepEqual([changed, failed.map(({ id, error }) => [id, error.status])], [[], [[987654, 404]]]);
    }
  });

  it('exits with 2 when it is used wrongly', async () => {
    const wrong = [[], ['retry'], ['drop'], ['drop', '--all'], ['retry', '5', '--all'], ['retry', 'all'], ['drop', '1x'], ['retry', '99999999999999999999'], ['ls', '--limit', '0']];
    await everyCase(wrong, async (args) => {
      const result = await transfers(...args);
      assert.equal(result.code, 2, `segue transfers ${args.join(' ')}: ${said(result)}`);
      assert.match(said(result), /--help/);
    });
  });

  it('teaches what a dead letter is', async () => {
    const help = await run('segue', ['transfers', '--help']);
    assert.equal(help.code, 0, said(help));
    for (const word of ['dead letter', 'retry', 'drop', 'upload', 'evict', 'download', 'remove'])
      assert(help.stdout.includes(word), `${word}: ${help.stdout}`);
  });
});
