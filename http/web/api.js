// The HTTP API as the page sees it: requests, problems, byte offsets, and whether the server answers at all.

/** The server understood and refused (RFC 9457). `message` is its `detail`, fit to show. */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || `The server answered ${status}.`);
    this.status = status;
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

/** `fetch` that throws Problem or Unreachable and keeps `reach` up to date. */
export async function open(url, options) {
  let response;
  try {
    response = await fetch(url, options);
  } catch (error) {
    if (options?.signal?.aborted && options.signal.reason?.name !== 'TimeoutError') throw error;
    set_reach(false);
    throw new Unreachable();
  }
  if (!response.ok) {
    const problem = await problem_of(response);
    if (problem instanceof Problem) set_reach(true);
    throw problem;
  }
  set_reach(true);
  return response;
}

async function ask(url, options) {
  const response = await open(url, { signal: AbortSignal.timeout(10_000), cache: 'no-store', ...options });
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

/** A byte position as a stream offset; both halves are 16 digits. */
export const offset_at = bytes => `${'0'.repeat(16)}_${bytes.toString(16).padStart(16, '0')}`;

/** Resolves after `ms`, or at once when `signal` aborts: a loop that waits looks at the signal itself. */
export const pause = (ms, signal) => new Promise(resolve => {
  const timer = setTimeout(resolve, ms);
  signal?.addEventListener('abort', () => { clearTimeout(timer); resolve(); }, { once: true });
});
