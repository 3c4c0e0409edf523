// The real components the tests stand on. A missing one fails the run and says how to get it; nothing is ever skipped.
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { clearUpOnSignals, mortal } from '../../tools/stores/program.mjs';

const repository = fileURLToPath(new URL('../..', import.meta.url));

const howToGet = {
  segue: 'build it with `cmake --preset release && cmake --build --preset release`, or point SEGUE at a binary',
  chromium: 'install it with `apt-get install chromium`',
  ffmpeg: 'install it with `apt-get install ffmpeg`',
  ffprobe: 'install it with `apt-get install ffmpeg`',
  python3: 'install it with `apt-get install python3`',
  promtool: 'install it with `apt-get install prometheus`',
  ip: 'install it with `apt-get install iproute2`',
  fallocate: 'install it with `apt-get install util-linux`',
  prlimit: 'install it with `apt-get install util-linux`',
  'mkfs.ext4': 'install it with `apt-get install e2fsprogs`',
  openssl: 'install it with `apt-get install openssl`',
  env: 'install it with `apt-get install coreutils`',
  sh: 'install it with `apt-get install dash`',
  mount: 'install it with `apt-get install mount`',
  umount: 'install it with `apt-get install mount`',
};

function candidates(name) {
  if (name === 'segue') return [resolve(repository, process.env.SEGUE ?? 'build/release/segue')];
  return [...process.env.PATH.split(delimiter), '/usr/sbin', '/sbin'].map((folder) => join(folder, name));
}

/// Path of the executable `name`, one of those above.
export function need(name) {
  const found = candidates(name).find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  if (!found) throw new Error(`${name} is missing (looked at ${candidates(name).join(', ')}): ${howToGet[name]}`);
  return found;
}

// A test file that fails or is told to end must not leave anything behind.
clearUpOnSignals();
const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/// `through` this, nothing takes what a program says on standard output.
export const onFullDisk = ['sh', '-c', 'exec "$@" > /dev/full', 'sh'];

/// Starts `name` with piped output; it dies with this process. Returns `{child, output, exited}`: `output` gathers `stdout`
/// and `stderr` as bytes, `exited` resolves to `{code, signal, stdout, stderr}` once the process is gone and its pipes are read
/// to the end. `through` is a command that becomes the program, such as `['prlimit', '--nofile=256']`.
export function start(name, args, { input, cwd, env, through = [] } = {}) {
  const [program, ...rest] = mortal([...through.slice(0, 1).map(need), ...through.slice(1), need(name), ...args]);
  const child = spawn(program, rest, { cwd, env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  running.add(child);
  const output = { stdout: [], stderr: [] };
  for (const pipe of ['stdout', 'stderr']) child[pipe].on('data', (bytes) => output[pipe].push(bytes));
  child.stdin.on('error', () => {}); // a program may exit without reading its input
  child.stdin.end(input);
  const exited = new Promise((done, failed) => {
    child.on('error', failed);
    child.on('close', (code, signal) => {
      running.delete(child);
      done({ code, signal, stdout: text(output.stdout), stderr: text(output.stderr), bytes: Buffer.concat(output.stdout) });
    });
  });
  return { child, output, exited };
}

/// All that a finished program printed.
export const said = ({ stdout, stderr }) => stdout + stderr;

/// Runs `name` to its end and returns what `exited` gives; kills it and throws when it takes longer than `deadline` ms.
export async function run(name, args, { deadline = 30_000, ...options } = {}) {
  const { child, output, exited } = start(name, args, options);
  let overdue = false;
  const timer = setTimeout(() => {
    overdue = true;
    child.kill('SIGKILL');
  }, deadline);
  const result = await exited.finally(() => clearTimeout(timer));
  if (overdue) throw new Error(`${name} ${args.join(' ')} did not end within ${deadline} ms:\n${text(output.stderr)}`);
  return result;
}

function text(chunks) {
  return Buffer.concat(chunks).toString();
}
