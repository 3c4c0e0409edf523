// An application that appends, and never loses or repeats anything.
import { randomBytes } from 'node:crypto';
import { setTimeout as moment } from 'node:timers/promises';
import { octets } from './api.mjs';
import { ask } from './http.mjs';

/// An idempotent producer: what was not acknowledged is sent again, under the same number.
export class Producer {
  acknowledged = []; ///< the bodies, in order
  refusals = []; ///< the answers that were no acknowledgement; a cut connection is one with status 0
  #stopped = false;
  #abandoned = false;
  #seq = 0;

  /// Appends `size` bytes every `every` ms.
  constructor(server, path, { size = 1 << 10, every = 20 } = {}) {
    Object.assign(this, { server, path, size, every });
  }

  /// Appends until it is told to stop; what it has begun it brings to an end.
  async run() {
    while (!this.#stopped) {
      await this.append(randomBytes(this.size));
      await moment(this.every);
    }
  }

  async append(body) {
    while (!(await this.attempt(body)) && !this.#abandoned) await moment(200);
  }

  /// True: the body is stored. False: it is not known, the next attempt is to be with the same body.
  async attempt(body) {
    const headers = {
      ...octets,
      'producer-id': 'p',
      'producer-epoch': '0',
      'producer-seq': String(this.#seq),
    };
    const reply = await ask(this.server, 'POST', this.path, { headers, body }).catch((error) => ({ status: 0, error }));
    const stored = reply.status === 200 || reply.status === 204;
    if (stored) {
      ++this.#seq;
      this.acknowledged.push(body);
    } else {
      this.refusals.push(reply);
    }
    return stored;
  }

  stop() {
    this.#stopped = true;
  }

  /// Stops, whatever becomes of what it has begun.
  abandon() {
    this.#stopped = this.#abandoned = true;
  }
}
