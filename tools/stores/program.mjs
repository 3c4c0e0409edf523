// The programs the stores are made of: where they are, how they are run to their end, and how they are launched to stay.
import { execFile, spawn } from 'node:child_process';
import { accessSync, appendFileSync, closeSync, constants, openSync, readdirSync, readlinkSync, readFileSync } from 'node:fs';
import net from 'node:net';
import { constants as system } from 'node:os';
import { delimiter, join, sep } from 'node:path';

/// The Debian package of each program.
const packages = {
  postgres: 'postgresql',
  initdb: 'postgresql',
  psql: 'postgresql',
  'redis-server': 'redis-server',
  'redis-cli': 'redis-tools',
  'ceph-mon': 'ceph-mon',
  'ceph-osd': 'ceph-osd',
  monmaptool: 'ceph-base',
  ceph: 'ceph-common',
  'radosgw-admin': 'ceph-common',
  radosgw: 'radosgw',
  curl: 'curl',
  ipcrm: 'util-linux',
  setpriv: 'util-linux',
};

/// Path of the executable `name`, one of those above.
export function program(name) {
  // Debian keeps each version of PostgreSQL in a folder of its own, and another `postgres` may be on the path.
  const folders =
    packages[name] === 'postgresql' ? newestPostgres() : [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'];
  const found = folders.map((folder) => join(folder, name)).find(isExecutable);
  if (!found)
    throw new Error(
      `${name} is missing: install what the tests need with \`tools/install test\`, or just the Debian package ${packages[name]}`,
    );
  return found;
}

function newestPostgres(root = '/usr/lib/postgresql') {
  try {
    const newestFirst = readdirSync(root).sort((a, b) => b - a);
    return newestFirst.map((version) => join(root, version, 'bin'));
  } catch {
    return [];
  }
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/// Runs `name` to its end and returns what it wrote to stdout; throws with what it wrote to stderr when it fails.
/// `user` is `{uid, gid}`. Secrets belong into `env` or `input`: everybody sees the arguments of a process.
export function run(name, args, { cwd, env, input, user, deadline = 30_000 } = {}) {
  return new Promise((resolve, reject) => {
    const options = { cwd, env: { ...process.env, ...env }, timeout: deadline, killSignal: 'SIGKILL', ...user };
    const child = execFile(program(name), args, options, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      const ending = error.killed ? `did not end within ${deadline} ms` : `failed with ${error.signal ?? error.code}`;
      reject(new Error(`${name} ${ending}: ${(stderr || stdout).trim()}`));
    });
    child.stdin.on('error', () => {}); // a program may exit without reading its input
    child.stdin.end(input);
  });
}

/// The command that becomes `command`, and gets `signal` when this process dies, however it dies.
export function mortal(command, signal = 'SIGKILL') {
  return [program('setpriv'), '--pdeathsig', signal, '--', ...command];
}

/// Lets the listeners of `exit`, who clear up, hear of a signal as well, which else ends a process without them. The handlers
/// stay, so that a second signal does not interrupt who is clearing up.
export function clearUpOnSignals() {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(128 + system.signals[signal]));
}

/// Launches `name` at work in `folder`, its output added to the file `log`. It does not keep this process alive, and dies with
/// it; with `outlive` it runs on, out of reach even of the terminal’s Ctrl-C. Returns the process.
export function launch(name, args, { folder, log, user, outlive }) {
  const itself = [program(name), ...args];
  const command = outlive ? itself : mortal(itself, lastSignal(name));
  const output = openSync(log, 'a', 0o600);
  const child = spawn(command[0], command.slice(1), {
    cwd: folder,
    stdio: ['ignore', output, output],
    detached: outlive,
    ...user,
  });
  closeSync(output);
  child.on('error', (error) => appendFileSync(log, `${error}\n`));
  child.unref();
  return child;
}

/// SIGQUIT is PostgreSQL's quickest end that takes its shared memory away.
function lastSignal(name) {
  return name === 'postgres' ? 'SIGQUIT' : 'SIGKILL';
}

/// The processes of the programs above that work in `folder` or below, as `{pid, parent, name}`. It is read from the system,
/// not remembered: so forked children are found, and what a crashed process of ours has left, and nobody else's.
export function processesIn(folder) {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const [, name, parent] = /\((.*)\) . (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'));
      if (!(name in packages) || !`${readlinkSync(`/proc/${pid}/cwd`)}${sep}`.startsWith(`${folder}${sep}`)) return [];
      return [{ pid: Number(pid), parent: Number(parent), name }];
    } catch {
      return []; // gone meanwhile, or a zombie
    }
  });
}

export function signalAll(processes, signal) {
  for (const { pid } of processes) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  }
}

/// Ends everything that works in `folder` and waits for it without an event loop, so that it can be done last of all.
export function endNow(folder) {
  const begun = Date.now();
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  for (let first = true; ; first = false) {
    const left = processesIn(folder);
    if (!left.length) return;
    const overdue = Date.now() - begun;
    if (overdue > 10_000) throw new Error(`cannot be killed: ${left.map(({ pid, name }) => `${name} (${pid})`).join(', ')}`);
    if (first) for (const one of left) signalAll([one], lastSignal(one.name));
    else if (overdue > 2_000) signalAll(left, 'SIGKILL');
    Atomics.wait(sleeper, 0, 0, 10);
  }
}

/// True when nobody answers there. A process that was killed is no longer seen a moment before its sockets are gone.
export function isSilent(host, port) {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', () => resolve(true));
  });
}

/// A free port below the ephemeral range. A server that goes away and comes back needs one: a port from the ephemeral
/// range can be taken meanwhile, even by a client that dials it and on loopback ends up connected to itself.
export async function stablePort() {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const free = await new Promise((resolve) => {
      const probe = net.createServer();
      probe.once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
    });
    if (free) return port;
  }
}
