// A real PostgreSQL server.
import { execFileSync } from 'node:child_process';
import { chownSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { program, run } from './program.mjs';
import { Store, checkTenant, secret } from './store.mjs';

const superuser = 'postgres';

export class Postgres extends Store {
  name = 'postgres';
  orderly = 'SIGINT'; // SIGTERM waits for every client to leave
  #data = join(this.folder, 'data');
  #user = unprivileged();

  constructor(folder, { password = secret(), maxConnections = 50, args = [], ...options } = {}) {
    super(folder, options);
    Object.assign(this, { password, maxConnections, args });
  }

  url(database, user, password) {
    return `postgresql://${user}:${password}@${this.host}:${this.port}/${database}`;
  }

  get adminUrl() {
    return this.url('postgres', superuser, this.password);
  }

  async create() {
    const passwordFile = join(this.folder, 'password');
    writeFileSync(passwordFile, this.password, { mode: 0o600 });
    if (this.#user) for (const path of [this.folder, passwordFile]) chownSync(path, this.#user.uid, this.#user.gid);
    const access = ['--username', superuser, '--pwfile', passwordFile, '--auth', 'scram-sha-256'];
    // Not syncing here only saves time: the server itself syncs every commit.
    await run(
      'initdb',
      ['--pgdata', this.#data, ...access, '--no-locale', '--encoding', 'UTF8', '--no-sync', '--no-instructions'],
      {
        cwd: this.folder,
        user: this.#user,
      },
    );
    rmSync(passwordFile);
  }

  server() {
    const settings = {
      listen_addresses: this.host,
      port: this.port,
      unix_socket_directories: '',
      max_connections: this.maxConnections,
      dynamic_shared_memory_type: 'mmap', // in the data folder, so that SIGKILL leaves none elsewhere
    };
    const given = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    return { program: 'postgres', args: ['-D', this.#data, ...given, ...this.args], user: this.#user };
  }

  ready(log) {
    return log.includes('database system is ready to accept connections');
  }

  async kill(signal) {
    await super.kill(signal);
    if (!this.pid) await this.#removeRemains();
  }

  /// A role and a database that it owns. No other tenant's role can connect to it, nor to the databases of the administrator.
  async createTenant(name) {
    checkTenant(name);
    const password = secret();
    await this.sql(
      `CREATE ROLE ${name} LOGIN PASSWORD '${password}';
       CREATE DATABASE ${name} OWNER ${name};
       REVOKE CONNECT ON DATABASE ${name}, postgres, template1 FROM PUBLIC;`,
    );
    return { database: name, user: name, password, url: this.url(name, name, password) };
  }

  /// Runs statements as whoever `url` names and returns the rows as text, columns separated by `|`.
  async sql(statements, url = this.adminUrl) {
    const { hostname, port, username, password, pathname } = new URL(url);
    const env = { PGHOST: hostname, PGPORT: port, PGUSER: username, PGPASSWORD: password, PGDATABASE: pathname.slice(1) };
    const options = ['--no-psqlrc', '--quiet', '--no-align', '--tuples-only', '--set', 'ON_ERROR_STOP=1'];
    return (await run('psql', options, { env, input: statements })).trim();
  }

  /// After SIGKILL a lock file is left, and the piece of shared memory it names, which only a start on these data would take.
  async #removeRemains() {
    const lock = join(this.#data, 'postmaster.pid');
    let lines;
    try {
      lines = readFileSync(lock, 'utf8').split('\n');
    } catch {
      return; // an orderly end
    }
    const [, segment] = (lines[6] ?? '').trim().split(/\s+/);
    if (segment) await run('ipcrm', ['--shmem-id', segment], { user: this.#user }).catch(() => {}); // taken away already
    rmSync(lock, { force: true });
  }
}

/// Starts a fresh server in `folder`, which becomes its own. `args` are added to `postgres`.
export async function startPostgres(folder, options) {
  program('psql');
  return new Postgres(folder, options).begin();
}

/// PostgreSQL refuses to run as root: root runs it as the user of the Debian package, anybody else as themselves.
function unprivileged() {
  if (process.getuid() !== 0) return undefined;
  const id = (what) => {
    try {
      return Number(execFileSync('id', [what, 'postgres'], { encoding: 'utf8', stdio: 'pipe' }));
    } catch {
      throw new Error(
        'PostgreSQL does not run as root, and there is no user `postgres`: the Debian package postgresql makes it',
      );
    }
  };
  return { uid: id('-u'), gid: id('-g') };
}
