// A real Redis server that keeps what it acknowledged.
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { program, run } from './program.mjs';
import { Store, checkTenant, secret } from './store.mjs';

export class Redis extends Store {
  name = 'redis';

  constructor(folder, { password = secret(), appendfsync = 'always', maxmemory, args = [], ...options } = {}) {
    super(folder, options);
    Object.assign(this, { password, appendfsync, maxmemory, args });
  }

  /// For the administrator, who may do everything.
  url(db = 0) {
    return `redis://default:${this.password}@${this.host}:${this.port}/${db}`;
  }

  create() {
    // Not `requirepass`: tenants may read the configuration, and would read the administrator's password there.
    writeFileSync(join(this.folder, 'users.acl'), `user default on #${sha256(this.password)} ~* &* +@all\n`, { mode: 0o600 });
  }

  server() {
    const settings = {
      bind: this.host,
      port: this.port,
      'protected-mode': 'yes',
      dir: this.folder,
      aclfile: join(this.folder, 'users.acl'),
      save: '',
      appendonly: 'yes',
      appendfsync: this.appendfsync,
      ...(this.maxmemory && { maxmemory: this.maxmemory }),
    };
    const given = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    return { program: 'redis-server', args: [...given, ...this.args] };
  }

  ready(log) {
    return log.includes('Ready to accept connections');
  }

  /// A user for the keys and channels that begin with its name and a colon; kept over restarts.
  async createTenant(name) {
    checkTenant(name);
    const password = secret();
    // INFO and CONFIG GET: whoever relies on Redis has to see what it promises.
    const allowed = ['+@all', '-@admin', '-@dangerous', '+info', '+config|get'];
    await this.command('ACL', 'SETUSER', name, 'on', `#${sha256(password)}`, `~${name}:*`, `&${name}:*`, ...allowed);
    await this.command('ACL', 'SAVE');
    return { user: name, password, prefix: `${name}:`, url: `redis://${name}:${password}@${this.host}:${this.port}/0` };
  }

  /// Runs a command as the administrator and returns its reply as text.
  command(...args) {
    return this.commandAs({ user: 'default', password: this.password }, ...args);
  }

  /// The same as a tenant. A reply that is an error is thrown.
  async commandAs({ user, password }, ...args) {
    const options = ['-h', this.host, '-p', String(this.port), '--user', user, '-e'];
    return (await run('redis-cli', [...options, ...args], { env: { REDISCLI_AUTH: password } })).trim();
  }
}

/// Starts a fresh server in `folder`, which becomes its own. `appendfsync` and `maxmemory` are those of redis.conf; `args` are
/// added to `redis-server`.
export async function startRedis(folder, options) {
  program('redis-cli');
  return new Redis(folder, options).begin();
}

function sha256(text) {
  return createHash('sha256').update(text).digest('hex');
}
