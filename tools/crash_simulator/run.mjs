// Kills a real server again and again while clients create, append, close, fork and delete streams, and insists after each crash
// that it kept what it said. Half the crashes are the power going: what was written but not synced is torn.
//   node tools/crash_simulator/run.mjs [--crashes N | --seconds S] [--seed SEED] [--players P]
import { parseArgs } from 'node:util';
import { setTimeout as moment } from 'node:timers/promises';
import { FaultyDisk } from '../../tests/support/faulty_disk.mjs';
import { waitFor } from '../../tests/support/http.mjs';
import { randomFrom } from '../../tests/support/random.mjs';
import { Server } from '../../tests/support/server.mjs';
import { Player, ServerGone } from './player.mjs';

const { values } = parseArgs({
  options: {
    crashes: { type: 'string' },
    seconds: { type: 'string' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 32)) },
    players: { type: 'string', default: '4' },
  },
});
const seed = Number(values.seed);
const end = values.seconds ? Date.now() + 1000 * Number(values.seconds) : Infinity;
const crashes = Number(values.crashes ?? (values.seconds ? Infinity : 50));
const dice = randomFrom(seed);

const disk = new FaultyDisk();
const server = new Server({
  ...disk.under,
  args: ['--idle', '100ms', '--long-poll-timeout', '500ms', '--log-level', 'warning'],
});
const names = Array.from({ length: Number(values.players) }, (_, i) => String.fromCharCode(97 + i));
const players = names.map((name, i) => new Player(server, name, randomFrom(seed + i + 1)));
let [crashed, torn] = [0, 0];

const sum = (key) => players.reduce((total, player) => total + player[key], 0).toLocaleString('en');
const line = (violations) =>
  `crash simulator: seed ${seed}, ${crashed} crashes, ${torn} of them with a torn log, ${sum('operations')} operations, ` +
  `${sum('acknowledged')} acknowledged, ${violations} violations`;

async function round() {
  disk.heal();
  await server.start();
  await Promise.all(players.map((player) => player.check()));
  const powerGoes = dice.random() < 0.5;
  if (powerGoes) disk.fallIll(`tear ${dice.between(1, 60)} ${dice.between(0, 100)}`);
  const playing = Promise.all(players.map((player) => player.play()));
  if (!powerGoes) {
    await Promise.race([moment(dice.between(5, 300)), playing]);
    await server.kill();
  }
  await playing;
  await waitFor(() => !server.ready, { every: 2 });
  crashed += 1;
  torn += powerGoes ? 1 : 0;
}

console.log(`crash simulator: seed ${seed}; --seed ${seed} replays its dice`);
try {
  while (crashed < crashes && Date.now() < end) {
    await round();
    if (crashed % 50 === 0) console.log(line(0));
  }
  disk.heal();
  await server.start();
  await Promise.all(players.map((player) => player.check()));
  await server.stop();
  console.log(line(0));
} catch (error) {
  console.error(error instanceof ServerGone ? `the server went while it was checked: ${error.message}` : error.message);
  console.error(server.log.split('\n').slice(-15).join('\n'));
  console.error(line(1));
  process.exitCode = 1;
} finally {
  players.forEach((player) => player.close());
  await server.dispose();
}
