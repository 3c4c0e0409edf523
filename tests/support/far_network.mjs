// Another network, which can be cut off: what happens to clients whose cable is pulled.
import { execFileSync } from 'node:child_process';
import { need } from './need.mjs';

/// A network namespace at the other end of a virtual cable. Needs the rights of root.
export class FarNetwork {
  #name = `segue-${process.pid}`;
  address = `10.${77 + (process.pid % 100)}.${process.pid % 250}.1`; ///< of this end, as seen from there
  #peer = this.address.replace(/1$/, '2');

  constructor() {
    process.once('exit', () => this.remove());
    this.#ip('netns', 'add', this.#name);
    this.#ip('link', 'add', `${this.#name}n`, 'type', 'veth', 'peer', 'name', 'far', 'netns', this.#name);
    this.#ip('addr', 'add', `${this.address}/30`, 'dev', `${this.#name}n`);
    this.#ip('link', 'set', `${this.#name}n`, 'up');
    this.#ip('-n', this.#name, 'addr', 'add', `${this.#peer}/30`, 'dev', 'far');
    this.#ip('-n', this.#name, 'link', 'set', 'far', 'up');
  }

  /// The command to run another one there, for `start`.
  get through() {
    return ['ip', 'netns', 'exec', this.#name];
  }

  /// Pulls the cable at the far end: nobody here is told.
  cut() {
    this.#ip('-n', this.#name, 'link', 'set', 'far', 'down');
  }

  remove() {
    if (this.#name) execFileSync(need('ip'), ['netns', 'del', this.#name], { stdio: 'ignore' });
    this.#name = undefined;
  }

  #ip(...args) {
    execFileSync(need('ip'), args);
  }
}
