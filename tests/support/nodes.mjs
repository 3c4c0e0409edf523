// Several servers that are one: an owner with the stores, edge nodes that have joined it, and gates in between.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { get, waitFor } from './http.mjs';
import { openGate } from './gate.mjs';
import { Server, stablePort, temporaryFolder } from './server.mjs';

/// A file with a secret, as `${file:PATH}`.
export function secretFile(text = 'the secret of these nodes alone') {
  const file = join(temporaryFolder(), 'secret');
  writeFileSync(file, `${text}\n`);
  return '${file:' + file + '}';
}

/// An owner, and `count` edges; with `gated`, each behind a gate of its own. Links give up after `linkTimeout`.
export class Nodes {
  constructor({ edges = 2, gated = false, linkTimeout = process.env.CHAOS_LINK_TIMEOUT ?? '2s', patience = '30s', ownerArgs = [], edgeArgs = [] } = {}) {
    Object.assign(this, { count: edges, gated, linkTimeout, patience, ownerArgs, edgeArgs });
  }

  async start() {
    this.clusterPort = await stablePort();
    const link = ['--cluster-secret', secretFile(), '--link-timeout', this.linkTimeout];
    this.owner = new Server({
      port: await stablePort(),
      args: ['--cluster-listen', `127.0.0.1:${this.clusterPort}`, ...link, ...this.ownerArgs],
    });
    await this.owner.start();
    this.gates = [];
    this.edges = [];
    for (let i = 0; i < this.count; ++i) {
      if (this.gated) this.gates.push(await openGate({ port: this.clusterPort }));
      const port = this.gated ? this.gates[i].port : this.clusterPort;
      const args = ['--join', `127.0.0.1:${port}`, '--join-patience', this.patience, ...link, ...this.edgeArgs];
      this.edges.push(new Server({ port: await stablePort(), args }));
    }
    await Promise.all(this.edges.map((edge) => edge.start()));
    await this.joined();
    return this;
  }

  get all() {
    return [this.owner, ...(this.edges ?? [])];
  }

  /// Waits until every edge, or these, are ready.
  joined(edges = this.edges, deadline = 15_000) {
    const ready = async () => (await Promise.all(edges.map((edge) => isReady(edge)))).every(Boolean);
    return waitFor(ready, { deadline, what: () => `every edge to join; the log of one:\n${edges[0].log.slice(-3000)}` });
  }

  /// Everything ends by itself, in time.
  async stop() {
    for (const server of [...this.edges, this.owner]) if (server.ready) await server.stop();
  }

  async dispose() {
    await Promise.all(this.all.map((server) => server?.dispose()));
    await Promise.all((this.gates ?? []).map((gate) => gate.close()));
  }
}

export async function isReady(server) {
  try {
    return (await get(server, '/readyz')).status === 200;
  } catch {
    return false;
  }
}

/// The nodes that a server lists, by state.
export async function nodesOf(server) {
  const { status, json, text } = await get(server, '/v1/nodes');
  assert.equal(status, 200, text);
  return json;
}
