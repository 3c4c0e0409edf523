// The HTTP API as the page sees it: requests, problems, places in the sound, and whether the server answers at all.
import { credentials, other_than, shown } from './access.js';

/** The server understood and refused (RFC 9457). `message` is its `detail`, fit to show. */
export class Problem extends Error {
  constructor(status, body) {
    super(status === 401 ? 'This server asks for an API key: press Play, and give it one.' : body.detail || body.title || `The server answered ${status}.`);
    this.status = status;
    this.passes = status === 429 || status >= 500; // asked again, it may do it
    this.code = body.code;
    this.field = body.field;
  }
}

/** Nobody answered: the server is restarting, or the network is away. */
export class Unreachable extends Error {}

/** Fires `change` when `reach.ok` flips, so that one quiet note serves the whole page. */
export const reach = new EventTarget();
reach.ok = true;

function set_reach(ok) {
  if (reach.ok === ok) return;
  reach.ok = ok;
  reach.dispatchEvent(new Event('change'));
}

export const unreachable = () => set_reach(false);

async function problem_of(response) {
  const is_problem = response.headers.get('content-type')?.startsWith('application/problem+json');
  // A bare 502..504 comes from a proxy in front of a server that is down.
  if (!is_problem && response.status >= 502) {
    set_reach(false);
    return new Unreachable();
  }
  const body = is_problem ? await response.json().catch(() => ({})) : {};
  return new Problem(response.status, body);
}

/**
 * `fetch` that throws Problem or Unreachable and keeps `reach` up to date. It takes `limit_ms` at most, not counting the
 * time in which somebody looks for the key.
 */
export async function open(url, options) {
  const { limit_ms, signal = AbortSignal.timeout(limit_ms), ...rest } = options;
  const key = shown();
  let response;
  try {
    response = await fetch(url, { ...rest, signal, headers: { ...rest.headers, ...credentials() } });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    if (key !== shown()) return open(url, options); // its answer had to wait for somebody else's question
    set_reach(false);
    throw new Unreachable();
  }
  if (response.status === 401 && other_than(key)) return open(url, options);
  if (!response.ok) {
    const problem = await problem_of(response);
    if (problem instanceof Problem) set_reach(true);
    throw problem;
  }
  set_reach(true);
  return response;
}

async function ask(url, options) {
  const response = await open(url, { limit_ms: 10_000, cache: 'no-store', ...options });
  if (response.status === 204) return null;
  // The connection may still break inside the body.
  return response.json().catch(() => { set_reach(false); throw new Unreachable(); });
}

const base = '/v1/generations';

export const generations = {
  create: request => ask(base, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request),
  }),
  list: (limit, after) => ask(`${base}?limit=${limit}${after ? `&after=${after}` : ''}`),
  get: id => ask(`${base}/${id}`),
  cancel: id => ask(`${base}/${id}`, { method: 'DELETE' }),
  purge: id => ask(`${base}/${id}?purge=true`, { method: 'DELETE' }),
  events: id => ask(`${base}/${id}/events?offset=-1`),
};

export const ended = piece => ['completed', 'failed', 'cancelled'].includes(piece.state);

/** It ended before there was any sound. */
export const silent = piece => ended(piece) && !piece.audio_ms;

/** Sound is linear: each frame has so many bytes and lasts so long, and can be decoded without the one before. */
export const FRAME_BYTES = 384, FRAME_S = 0.024;

/** The frame that sounds at `second`. The hair on top keeps a frame's own first second in it. */
export const frame_at = second => Math.max(0, Math.floor(second / FRAME_S + 1e-6));

/** Where the sound of `piece` can be read from byte `position` on. */
export const sound_from = (piece, position) =>
  `${piece.urls.audio}?offset=${'0'.repeat(16)}_${position.toString(16).padStart(16, '0')}`;

/**
 * Resolves after `ms`, or at once when `signal` aborts, which a loop that waits looks at itself, or when somebody else
 * on the page finds the server back.
 */
export const pause = (ms, signal) => new Promise(resolve => {
  const over = new AbortController();
  const end = () => { clearTimeout(timer); over.abort(); resolve(); };
  const timer = setTimeout(end, ms);
  signal.addEventListener('abort', end, { signal: over.signal });
  reach.addEventListener('change', () => { if (reach.ok) end(); }, { signal: over.signal });
});
