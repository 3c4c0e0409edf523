// What can happen to a store, or to the network in front of it.
import { chosenSeed, numberFrom } from './numbers.mjs';
import { randomFrom } from './random.mjs';

export const seed = chosenSeed();
export const rounds = numberFrom('CHAOS_ROUNDS', 1);
const { between, oneOf } = randomFrom(seed);

/// `begin` and `end` get `{store, gate, slow}`, the last in bytes per second. `away`: nobody reaches the store meanwhile;
/// `silent`: and that is noticed only after a while.
export const faults = [
  { does: 'refuses connections', away: true, begin: ({ gate }) => gate.refuse(), end: ({ gate }) => gate.pass() },
  { does: 'hangs', away: true, silent: true, begin: ({ gate }) => gate.hang(), end: ({ gate }) => gate.pass() },
  {
    does: 'is cut off in the middle of questions and answers',
    begin: (on) => {
      on.cutting = setInterval(() => on.gate.cutAfter(between(0, 3_000), oneOf(['toServer', 'toClient'])), 50);
    },
    end: async (on) => {
      clearInterval(on.cutting);
      await on.gate.pass();
    },
  },
  { does: 'is slow', begin: ({ gate, slow }) => gate.slow(slow), end: ({ gate }) => gate.pass() },
  { does: 'is killed', away: true, begin: ({ store }) => store.kill(), end: ({ store }) => store.restart() },
  {
    does: 'is stopped',
    away: true,
    silent: true,
    begin: ({ store }) => store.kill('SIGSTOP'),
    end: ({ store }) => store.kill('SIGCONT'),
  },
];

/// While the fault lasts, `meanwhile` is called; it is lifted in any case.
export async function during(fault, on, meanwhile) {
  await fault.begin(on);
  try {
    await meanwhile();
  } finally {
    await fault.end(on);
  }
}
