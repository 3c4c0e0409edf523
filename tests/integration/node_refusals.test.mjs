// Nodes that do not come together, and say why.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { describe, it } from 'node:test';
import { metricsOf } from '../support/api.mjs';
import { expectProblem, get, waitFor } from '../support/http.mjs';
import { nodesOf, secretFile } from '../support/nodes.mjs';
import { refusedStart, Server, stablePort, useServer } from '../support/server.mjs';

describe('nodes that do not come together', { timeout: 60_000 }, () => {
  const secret = secretFile();
  const owner = useServer({ args: ['--cluster-listen', '127.0.0.1:0', '--cluster-secret', secret] });
  const clusterPort = () => /others may join at 127\.0\.0\.1:(\d+)/.exec(owner.log)[1];

  it('have different secrets, and both say so without showing them', async () => {
    const told = await refusedStart([
      '--listen',
      '127.0.0.1:0',
      '--join',
      `127.0.0.1:${clusterPort()}`,
      '--cluster-secret',
      secretFile('another secret than theirs'),
    ]);
    assert.match(told, /cannot join 127\.0\.0\.1:\d+: .*--cluster-secret is not the same on both nodes/);
    assert.match(owner.log, /refused.*--cluster-secret is not the same/);
    for (const text of [told, owner.log]) assert.doesNotMatch(text, /another secret than theirs|the secret of these nodes/);
    assert((await metricsOf(owner)).samples.segue_joins_refused_total >= 1);
  });

  it('are an edge that asks for credentials and an owner that lets anybody do anything', async () => {
    const args = ['--listen', '127.0.0.1:0', '--auth', '--join', `127.0.0.1:${clusterPort()}`, '--cluster-secret', secret];
    assert.match(await refusedStart(args), /cannot join 127\.0\.0\.1:\d+: this node has --auth and the node it joins has not/);
  });

  it('are two builds: the owner refuses an edge that speaks another interface', async () => {
    const stranger = net.connect(Number(clusterPort()), '127.0.0.1');
    stranger.setEncoding('utf8');
    stranger.write('segue-node/1 0123abcd.1706 an-id a-nonce somebody\n');
    const [line] = await once(stranger, 'data');
    assert.match(line, /^refused interface this node speaks interface [0-9a-f]+\.1706, the other one 0123abcd\.1706: run the same version/);
    await waitFor(() => /refused.*the other one 0123abcd\.1706/.test(owner.log), { what: 'the owner to say so as well' });
    stranger.destroy();
  });

  it('are two builds: an edge refuses an owner that speaks another interface', async () => {
    const impostor = net.createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.write('segue-node/1 0123abcd.1706 a-nonce somebody\n'));
    });
    await once(impostor.listen(0, '127.0.0.1'), 'listening');
    try {
      const args = ['--listen', '127.0.0.1:0', '--join', `127.0.0.1:${impostor.address().port}`, '--cluster-secret', secret];
      assert.match(await refusedStart(args), /cannot join .*the other one 0123abcd\.1706: run the same version of segue on both/);
    } finally {
      impostor.close();
    }
  });

  it('speak another language than segue', async () => {
    const { dial } = await import('../support/http.mjs');
    const stranger = await dial({ port: Number(clusterPort()) });
    await stranger.send('GET / HTTP/1.1\r\n\r\n');
    await waitFor(() => /does not speak like a node/.test(owner.log), { what: 'the owner to say so' });
    stranger.socket.destroy();
  });

  it('are not given what they need', async () => {
    assert.match(await refusedStart(['--join', '127.0.0.1:1']), /--cluster-secret/);
    assert.match(await refusedStart(['--cluster-listen', '127.0.0.1:0', '--cluster-secret', 'short']), /at least 16/);
    assert.match(
      await refusedStart(['--join', '127.0.0.1:1', '--cluster-listen', '127.0.0.1:0', '--cluster-secret', secret]),
      /exclude each other/,
    );
  });

  it('an edge alone serves its page, is not ready, and says why', async () => {
    const edge = new Server({ args: ['--join', `127.0.0.1:${await stablePort()}`, '--cluster-secret', secret] });
    await edge.start();
    try {
      const { status, json } = await get(edge, '/readyz');
      assert.equal(status, 503);
      assert.match(json.checks[0], /dialling, Connection refused/);
      assert.equal((await get(edge, '/')).status, 200);
      assert.equal((await get(edge, '/v1/nodes')).json.nodes[0].state, 'dialling');
      assert.match((await get(edge, '/v1/system')).text, /"link to /);
      expectProblem(await get(edge, '/v1/generations'), 503);
      expectProblem(await get(edge, '/v1/stream/any?offset=-1'), 503);
      await edge.stop();
    } finally {
      await edge.dispose();
    }
  });

  it('a server alone has no nodes and no thread for them', async () => {
    const server = new Server();
    await server.start();
    try {
      assert.deepEqual(await nodesOf(server), { self: null, nodes: [] });
      await server.stop();
    } finally {
      await server.dispose();
    }
  });
});
