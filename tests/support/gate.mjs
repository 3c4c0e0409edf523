// A gate in front of a TCP server: the network between it and its clients, which can be closed, silent, cut or slow.
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as moment } from 'node:timers/promises';
import { stablePort } from './server.mjs';

/// Opens a gate on a free port of loopback that leads to `host:port`.
export async function openGate({ host = '127.0.0.1', port }) {
  const gate = new Gate({ host, port }, await stablePort());
  await gate.pass();
  return gate;
}

/// One mode holds at a time, for the connections there are and for new ones; a mode is in force once its promise resolves.
class Gate {
  #target;
  #listener;
  #links = new Set();
  #rate = Infinity; // bytes per second
  #cut; // {direction, left}: how many bytes are still carried before the cut
  #open; // a promise while nothing is carried, with `resolve`

  constructor(target, port) {
    this.#target = target;
    this.port = port;
  }

  /// How many clients are connected.
  get connections() {
    return this.#links.size;
  }

  /// Everything is carried as it comes.
  async pass() {
    await this.#become({});
  }

  /// Connections are reset, and new ones refused by the system: nobody listens.
  async refuse() {
    await this.#become({ listening: false });
  }

  /// Connections stay and new ones are accepted, and nothing goes through, not even an end. Nothing is lost: it goes on when
  /// the mode changes.
  async hang() {
    await this.#become({ hanging: true });
  }

  /// Carries `bytes` more in this `direction`, 'toServer' or 'toClient', all connections together; the connection that carries
  /// the last of them is reset, and everything else passes. With 0, one is reset instead of carrying its next byte. A reset
  /// overtakes what the receiver has not taken yet: of many bytes, fewer may arrive.
  async cutAfter(bytes, direction = 'toServer') {
    await this.#become({ cut: { left: bytes, direction } });
  }

  /// Carries so much at most, in each direction of each connection. A sender has to wait once the system's buffers are full.
  async slow(bytesPerSecond) {
    await this.#become({ rate: bytesPerSecond });
  }

  /// Resets everything and listens no more, for good.
  async close() {
    await this.refuse();
  }

  async #become({ listening = true, hanging = false, cut, rate = Infinity }) {
    this.#cut = cut;
    this.#rate = rate;
    if (!listening) for (const link of this.#links) link.reset(); // first, so that what was held back is lost
    if (hanging) this.#open ??= pending();
    else {
      this.#open?.resolve();
      this.#open = undefined;
    }
    if (listening && !this.#listener) {
      this.#listener = net.createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#link(client));
      await once(this.#listener.listen(this.port, '127.0.0.1'), 'listening');
    } else if (!listening && this.#listener) {
      this.#listener.close();
      this.#listener = undefined;
    }
  }

  async #opened() {
    while (this.#open) await this.#open;
  }

  async #link(client) {
    const sockets = [client];
    const link = { reset: () => sockets.forEach(reset) };
    this.#links.add(link);
    client.on('error', () => {});
    client.on('close', () => this.#links.delete(link));
    try {
      await this.#opened(); // a server behind a silent network is not reached either
      if (client.destroyed) return;
      const server = net.connect({ ...this.#target, allowHalfOpen: true, noDelay: true });
      server.on('error', () => {});
      sockets.push(server);
      await once(server, 'connect');
      await Promise.all([this.#carry(client, server, 'toServer'), this.#carry(server, client, 'toClient')]);
    } catch {
      await this.#opened(); // not even the news of an end gets through
      link.reset();
    }
  }

  /// Carries what comes from one socket to the other until it ends; throws when either breaks or the gate cuts it.
  async #carry(from, to, direction) {
    for await (let bytes of from.iterator({ destroyOnReturn: false })) {
      while (bytes.length) {
        await this.#opened();
        const cut = this.#cut?.direction === direction ? this.#cut : undefined;
        const rate = this.#rate;
        const size = Math.min(bytes.length, Math.max(1, Math.floor(rate / 50)), cut?.left ?? Infinity);
        if (cut) cut.left -= size;
        if (size) await written(to, bytes.subarray(0, size));
        if (cut?.left === 0) {
          this.#cut = undefined;
          throw new Error('cut');
        }
        bytes = bytes.subarray(size);
        if (rate < Infinity) await moment((size / rate) * 1000);
      }
    }
    await this.#opened();
    to.end();
  }
}

/// Resolves when the system has taken the bytes, so that whoever sends more than the other side reads has to wait.
function written(socket, bytes) {
  return new Promise((resolve, reject) => socket.write(bytes, (error) => (error ? reject(error) : resolve())));
}

/// Node would lose sight of a socket that is reset while it says goodbye, and wait for it for ever when the process ends.
function reset(socket) {
  const leaving = socket.writableEnded && !socket.writableFinished;
  if (leaving) socket.destroy();
  else socket.resetAndDestroy();
}

function pending() {
  let resolve;
  const promise = new Promise((done) => (resolve = done));
  return Object.assign(promise, { resolve });
}
