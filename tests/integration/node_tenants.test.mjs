// Several tenants on several nodes: the walls between them are those of the owner, and streams of two tenants that happen to have the same
// number are never mixed up, on whichever node.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import WebSocket from 'ws';
import { ask, expectProblem, waitFor } from '../support/http.mjs';
import { Nodes } from '../support/nodes.mjs';
import { temporaryFolder } from '../support/server.mjs';
import { bearer, newSecret, secondsFromNow, token } from '../support/tokens.mjs';

const secrets = { alpha: newSecret(), beta: newSecret() };
const config = join(temporaryFolder(), 'segue.json');
const tenants = Object.fromEntries(Object.entries(secrets).map(([name, secret]) => [name, { 'jwt-secret': secret }]));
writeFileSync(config, JSON.stringify({ tenants }));
const credential = (tenant, sub = 'ann', role = 'writer') =>
  token({ tenant, sub, role, exp: secondsFromNow(600) }, secrets[tenant]);
const text = { 'content-type': 'text/plain' };

describe('two tenants on an owner and an edge', { timeout: 60_000 }, () => {
  const nodes = new Nodes({ edges: 1, ownerArgs: ['--auth', '--config', config], edgeArgs: ['--auth'] });
  before(() => nodes.start());
  after(async () => {
    try {
      await nodes.stop();
    } finally {
      await nodes.dispose();
    }
  });

  const as = (server, tenant, method, path, body, sub) =>
    ask(server, method, path, { headers: { ...text, ...bearer(credential(tenant, sub)) }, body });

  /// Follows a stream, and hears what comes.
  function follow(server, tenant, path) {
    const socket = new WebSocket(
      `ws://127.0.0.1:${server.port}${path}?offset=-1&live=websocket&access_token=${credential(tenant)}`,
    );
    const listener = { socket, heard: '', told: 0 };
    socket.on('message', (data, isBinary) => (isBinary ? (listener.heard += data) : ++listener.told));
    return listener;
  }

  it('hear what is theirs and nothing else, at the tail as well', async () => {
    const path = '/v1/stream/first'; // of each tenant, and so with the same number
    for (const tenant of ['alpha', 'beta']) assert.equal((await as(nodes.owner, tenant, 'PUT', path)).status, 201);
    const listeners = nodes.all.flatMap((server) =>
      ['alpha', 'beta'].map((tenant) => ({ tenant, ...{ of: follow(server, tenant, path) } })),
    );
    await waitFor(() => listeners.every(({ of }) => of.told > 0), { what: 'everybody to be at the tail' });
    for (let i = 0; i < 10; ++i)
      for (const [index, tenant] of ['alpha', 'beta'].entries())
        assert.equal((await as(nodes.all[(i + index) % 2], tenant, 'POST', path, `${tenant} ${i};`)).status, 204);
    const expected = (tenant) => Array.from({ length: 10 }, (_, i) => `${tenant} ${i};`).join('');
    await waitFor(() => listeners.every(({ of, tenant }) => of.heard.length >= expected(tenant).length), {
      what: 'everybody to hear ten',
    });
    for (const { tenant, of } of listeners) {
      assert.equal(of.heard, expected(tenant));
      of.socket.terminate();
    }
  });

  it('are asked at an edge for what the owner asks for', async () => {
    const [edge] = nodes.edges;
    expectProblem(await ask(edge, 'GET', '/v1/generations'), 401);
    expectProblem(await ask(edge, 'GET', '/v1/generations', { headers: bearer('sk_alpha_nothing') }), 401);
    expectProblem(await as(edge, 'alpha', 'GET', '/v1/nodes'), 403);
    assert.equal((await as(edge, 'alpha', 'PUT', '/v1/stream/diary')).status, 201);
    for (const server of nodes.all) {
      expectProblem(await as(server, 'alpha', 'GET', '/v1/stream/diary?offset=-1', undefined, 'bob'), 404);
      expectProblem(await as(server, 'beta', 'GET', '/v1/stream/diary?offset=-1'), 404);
      assert.equal((await as(server, 'alpha', 'GET', '/v1/stream/diary?offset=-1')).status, 200);
    }
  });
});
