// Chance that can be replayed.

/// Numbers drawn from a seed, the same ones for the same seed (Mulberry32): `random` in [0, 1), `between` two whole
/// numbers, `oneOf` a list.
export function randomFrom(seed) {
  let state = seed;
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (low, high) => low + Math.floor(random() * (high - low + 1));
  return { random, between, oneOf: (list) => list[between(0, list.length - 1)] };
}
