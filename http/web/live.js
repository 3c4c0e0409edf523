// Hearing a piece together. While nobody pauses or seeks, second s of a piece sounds s seconds after its first sound was
// made; whoever is "live" keeps to that. All tabs read that moment from the piece's events, so they agree on it without
// talking to each other. Pure arithmetic: the player carries out what it says.
import { ended } from './api.js';

const BEHIND_S = 0.2;  // how long a sound takes to get from the log to a loudspeaker, so that the first listener is live too
const RESERVE_S = 0.5; // never closer than this to the last sound made
const FAR_S = 0.25, OFF_S = 0.03, NUDGE = 0.02;

// This machine's clock less the server's, in ms: the smallest age of an event that arrived as it happened.
let skew = Infinity;

/** Learns from an event of `piece`; `fresh`: it was not read from the past. */
export function note_time(piece, event, fresh) {
  const at = Date.parse(event.at);
  if (fresh) skew = Math.min(skew, Date.now() - at);
  if (event.type === 'started') {
    // The same event may be read twice, by the one who follows and by the one who looks things up.
    if (event.attempt <= (piece.clocked_attempt ?? 0)) return;
    piece.clocked_attempt = event.attempt;
    piece.resumes_ms = event.resumed_at_ms;
  } else if (piece.resumes_ms !== undefined && event.audio_ms > piece.resumes_ms) {
    // After a crash the piece goes on later than its clock said, or just as well: the later of the two moments counts,
    // so nobody skips what was never played, and a short interruption changes nothing.
    piece.began_ms = Math.max(piece.began_ms ?? -Infinity, at - piece.resumes_ms);
    delete piece.resumes_ms;
  }
}

/**
 * Where those who are live hear `piece` now: {second, certain}, or null when it is over or has not begun. It is not
 * certain while the making lags behind the clock: then everybody waits for the same next sound anyway.
 */
export function live_place(piece, made) {
  if (piece.began_ms === undefined) return null;
  const clock = (Date.now() - (Number.isFinite(skew) ? skew : 0) - piece.began_ms) / 1000 - BEHIND_S;
  const most = Math.max(0, made - RESERVE_S);
  if (ended(piece)) return clock < most ? { second: Math.max(0, clock), certain: true } : null;
  return { second: Math.max(0, Math.min(clock, most)), certain: clock > 0 && clock < most };
}

/** What somebody does who is `late` by so many seconds: `jump`, or play on at `rate`, which is `rate` until now. */
export function correction(late, rate) {
  if (Math.abs(late) > FAR_S) return { jump: true, rate: 1 };
  const enough = rate === 1 ? OFF_S : OFF_S / 3; // a correction once begun is carried through
  return { jump: false, rate: Math.abs(late) < enough ? 1 : 1 + Math.sign(late) * NUDGE * (Math.abs(late) > 0.15 ? 2 : 1) };
}
