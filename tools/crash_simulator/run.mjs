// Kills a real server again and again while clients create, append, close, fork and delete streams, and insists after each crash
// that it kept what it said. Half the crashes are the power going: what was written but not synced is torn.
//   node tools/crash_simulator/run.mjs [--crashes N | --seconds S] [--seed SEED] [--players P]
// Ends with 1 when something was lost, or nothing was tried; with 2 when it was not understood.
import { parseArgs } from 'node:util';
import { setTimeout as moment } from 'node:timers/promises';
import { FaultyDisk } from '../../tests/support/faulty_disk.mjs';
import { waitFor } from '../../tests/support/http.mjs';
import { wholeNumber } from '../../tests/support/numbers.mjs';
import { randomFrom } from '../../tests/support/random.mjs';
import { Server, stablePort } from '../../tests/support/server.mjs';
import { Player, ServerGone } from './player.mjs';

const { crashes, seconds, seed, players: count } = chosen();
const end = Date.now() + 1000 * seconds;
const dice = randomFrom(seed);

const disk = new FaultyDisk();
const server = new Server({
  ...disk.under,
  port: await stablePort(),
  args: ['--idle', '100ms', '--long-poll-timeout', '500ms', '--log-level', 'warning'],
});
const names = Array.from({ length: count }, (_, i) => String.fromCharCode(97 + i));
const players = names.map((name, i) => new Player(server, name, randomFrom(seed + i + 1)));
let [crashed, torn] = [0, 0];

const sum = (key) => players.reduce((total, player) => total + player[key], 0);
const line = (violations) =>
  `crash simulator: seed ${seed}, ${crashed} crashes, ${torn} of them with a torn log, ` +
  `${sum('operations').toLocaleString('en')} operations, ${sum('acknowledged').toLocaleString('en')} acknowledged, ` +
  `${violations} violations`;

/// What the command line says.
function chosen() {
  const options = Object.fromEntries(['crashes', 'seconds', 'seed', 'players'].map((name) => [name, { type: 'string' }]));
  let given;
  try {
    given = parseArgs({ options }).values;
  } catch (error) {
    console.error(error.message);
    process.exit(2);
  }
  const number = (name, otherwise, least) =>
    given[name] === undefined ? otherwise : wholeNumber(`--${name}`, given[name], least);
  return {
    crashes: number('crashes', given.seconds === undefined ? 50 : Infinity),
    seconds: number('seconds', Infinity),
    seed: number('seed', Math.floor(Math.random() * 2 ** 32), 0),
    players: number('players', 4),
  };
}

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
  if (crashed === 0 || sum('acknowledged') === 0) {
    console.error('crash simulator: nothing was tried: there was no crash, or nothing was acknowledged before');
    process.exitCode = 1;
  }
} catch (error) {
  console.error(error instanceof ServerGone ? `the server went while it was checked: ${error.message}` : error.message);
  console.error(server.log.split('\n').slice(-15).join('\n'));
  console.error(line(1));
  process.exitCode = 1;
} finally {
  players.forEach((player) => player.close());
  await server.dispose();
}
