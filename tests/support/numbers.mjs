// Numbers that whoever starts a test chooses. One that is none ends the run with a sentence: NaN would count as nothing to do.

/// `text` as a whole number, at least `least`; `name` is what it was given as.
export function wholeNumber(name, text, least = 1) {
  const number = /^\d+$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(number) && number >= least) return number;
  console.error(`${name}: ${JSON.stringify(text)} is no whole number from ${least} on`);
  process.exit(2);
}

/// The environment variable `name`, `otherwise` when it is not set.
export function numberFrom(name, otherwise, least) {
  return wholeNumber(name, process.env[name] || String(otherwise), least);
}

/// CHAOS_SEED, which replays a run, or one of its own.
export const chosenSeed = () => numberFrom('CHAOS_SEED', Math.floor(Math.random() * 2 ** 32), 0);
