// A real S3: Ceph's gateway, on a cluster of one monitor and one disk in memory.
import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { setTimeout as moment } from 'node:timers/promises';
import { endNow, launch, processesIn, program, run, stablePort } from './program.mjs';
import { Store, checkTenant } from './store.mjs';

export class Radosgw extends Store {
  name = 'radosgw';
  orderly = 'SIGKILL'; // the gateway itself keeps nothing, and SIGTERM takes it two seconds
  #cluster = join(this.folder, 'cluster');
  #config = ['--conf', join(this.folder, 'ceph.conf')];

  /// The gateway dies and comes back alone: objects live in the cluster's memory, and only as long as that runs.
  get workplace() {
    return join(this.folder, 'gateway');
  }

  get endpoint() {
    return `http://${this.host}:${this.port}`;
  }

  async create() {
    for (const folder of [this.workplace, this.#cluster]) mkdirSync(folder, { mode: 0o700 });
    const [fsid, osd, monitorPort] = [randomUUID(), randomUUID(), await stablePort()];
    const at = (name) => join(this.#cluster, name);
    writeFileSync(join(this.folder, 'ceph.conf'), configuration({ fsid, monitorPort, at }));
    const options = { cwd: this.#cluster };
    const monitors = ['--create', '--fsid', fsid, '--addv', 'a', `[v2:${this.host}:${monitorPort}]`, at('monmap')];
    await run('monmaptool', monitors, options);
    for (const name of ['mon', 'osd']) mkdirSync(at(name));
    await Promise.all([
      run('ceph-mon', [...this.#config, '--id', 'a', '--mkfs', '--monmap', at('monmap')], options),
      run('ceph-osd', [...this.#config, '--id', '0', '--mkfs', '--osd-uuid', osd, '--no-mon-config'], options),
    ]);
    this.#launch('ceph-mon', 'a');
    await run('ceph', [...this.#config, 'osd', 'new', osd], options);
    this.#launch('ceph-osd', '0');
    for (const patience = Date.now() + 10_000; !this.#clusterRuns(); await moment(20))
      if (Date.now() > patience) throw new Error(`the cluster behind radosgw does not start; see ${this.#cluster}/*.log`);
  }

  #clusterRuns() {
    const running = processesIn(this.#cluster).map(({ name }) => name);
    return running.includes('ceph-mon') && running.includes('ceph-osd');
  }

  #launch(name, id) {
    const log = join(this.#cluster, `${name}.log`);
    launch(name, [...this.#config, '--foreground', '--id', id], { folder: this.#cluster, log, outlive: this.outlive });
  }

  server() {
    if (!this.#clusterRuns())
      throw new Error('the cluster behind radosgw has ended, and all that was in its memory: stop, and start a fresh one');
    const door = `beast endpoint=${this.host}:${this.port} tcp_nodelay=1`;
    return { program: 'radosgw', args: [...this.#config, '--foreground', '--name', 'client.gateway', '--rgw-frontends', door] };
  }

  ready() {
    return new Promise((resolve) => {
      const request = http.get(this.endpoint, { agent: false, timeout: 1000 }, (response) => resolve(response.resume()));
      request.on('timeout', () => request.destroy());
      request.on('error', () => resolve(false));
    });
  }

  /// Ends the whole cluster, all at once: in order, the disk would wait for the monitor, and for nothing worth keeping.
  async stop() {
    endNow(this.folder);
    await super.stop();
  }

  /// A user with a bucket that is closed to the others.
  async createTenant(name) {
    checkTenant(name);
    const asked = ['--name', 'client.gateway', 'user', 'create', '--uid', name, '--display-name', name];
    const { keys } = JSON.parse(await run('radosgw-admin', [...this.#config, ...asked], { cwd: this.#cluster }));
    const tenant = { accessKey: keys[0].access_key, secretKey: keys[0].secret_key, bucket: name };
    const { status, body } = await this.request('PUT', `/${name}`, tenant);
    if (status !== 200) throw new Error(`radosgw answered ${status} when bucket ${name} was made: ${body}`);
    return tenant;
  }

  /// Sends a request with the signature of `tenant` and returns `{status, body}`. `target` is a path, or a whole URL for a
  /// different name of the endpoint.
  async request(method, target, { accessKey, secretKey }, body) {
    const what = ['--request', method, ...(body === undefined ? [] : ['--data-binary', body])];
    const signature = ['--aws-sigv4', 'aws:amz:us-east-1:s3', '--header', 'x-amz-content-sha256: UNSIGNED-PAYLOAD'];
    const url = new URL(target, this.endpoint).href;
    const args = ['--silent', '--show-error', '--config', '-', ...what, ...signature, '--write-out', '\n%{http_code}', url];
    const output = await run('curl', args, { input: `user = "${accessKey}:${secretKey}"\n` });
    const split = output.lastIndexOf('\n');
    return { status: Number(output.slice(split + 1)), body: output.slice(0, split) };
  }
}

/// Starts a fresh cluster with a gateway in `folder`, which becomes their own.
export async function startRadosgw(folder, options) {
  for (const name of ['ceph-mon', 'ceph-osd', 'monmaptool', 'ceph', 'radosgw', 'radosgw-admin', 'curl']) program(name);
  return new Radosgw(folder, options).begin();
}

const configuration = ({ fsid, monitorPort, at }) => `[global]
fsid = ${fsid}
mon host = v2:127.0.0.1:${monitorPort}/0
mon initial members = a
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind msgr1 = false

# Inside the cluster nobody is asked who they are, so there are no keys to hand out; the gateway checks every signature.
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc

# The monitor waits for companions before it decides, and has none.
paxos propose interval = 0.05
paxos min wait = 0.01

# One disk, one copy, few placement groups: the start takes one second instead of many.
osd objectstore = memstore
memstore device bytes = 8589934592
osd crush chooseleaf type = 0
mon allow pool size one = true
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off

# A bucket is found by path, and as BUCKET.localhost.
rgw dns name = localhost
rgw gc obj min wait = 1

# Everything stays in this folder.
mon data = ${at('mon')}
osd data = ${at('osd')}
run dir = ${at('')}
crash dir = ${at('')}
log file =
log to stderr = true
mon cluster log file =
admin socket =
pid file =
`;
