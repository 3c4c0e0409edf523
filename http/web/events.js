// Follows the event stream of an unfinished piece.
import { with_key } from './access.js';
import { generations, ended, pause, Problem } from './api.js';

// A browser allows six HTTP/1.1 connections per server, to all its tabs together, and the sound needs one for each tab
// that plays. So one stream of events is enough; of other pieces the library learns by reading the list again.
const FIRST_WAIT = 250;
const LONGEST_WAIT = 8000;

/**
 * `on_event(piece, event, fresh)` for each event, `fresh` when it has just happened, `on_piece(fresh)` for a re-read
 * piece, `on_gone(piece)` after a 404.
 */
export class Follower {
  #line = null;
  #hooks;

  constructor(hooks) { this.#hooks = hooks; }

  has(piece) { return this.#line?.piece === piece; }

  /** Follows `piece`, and lets go of the one before; null: none. */
  follow(piece) {
    if (this.#line?.piece === piece) return;
    this.#drop();
    if (piece) this.#open({ piece, wait: FIRST_WAIT, over: new AbortController() });
  }

  #drop() {
    this.#line?.source.close();
    this.#line?.over.abort();
    this.#line = null;
  }

  #open(line) {
    const { piece } = line;
    this.#line = line;
    let caught_up = false;
    // The offset outlives the line: a piece let go and followed again does not tell its story twice.
    line.source = new EventSource(with_key(`${piece.urls.events}?live=sse&offset=${piece.events_read ?? '-1'}`));
    line.source.addEventListener('data', message => {
      line.wait = FIRST_WAIT;
      for (const event of JSON.parse(message.data)) this.#hooks.on_event(piece, event, caught_up);
    });
    line.source.addEventListener('control', message => {
      const control = JSON.parse(message.data);
      piece.events_read = control.streamNextOffset ?? piece.events_read;
      caught_up ||= control.upToDate === true;
      if (control.streamClosed) this.#settle(piece);
    });
    line.source.onerror = () => this.#retry(line);
  }

  // EventSource would reconnect to the URL it was given, and so read everything again: close it, open a new one later.
  async #retry(line) {
    const { signal } = line.over;
    line.source.close();
    for (;; line.wait = Math.min(line.wait * 2, LONGEST_WAIT)) {
      await pause(line.wait, signal);
      if (signal.aborted) return;
      const fresh = await this.#read(line.piece);
      if (signal.aborted) return;
      if (fresh === 'gone' || (fresh && ended(fresh))) return this.#drop();
      if (fresh) return this.#open(line);
    }
  }

  // The row is a projection of the events and has the last word on times and totals.
  async #settle(piece) {
    this.#drop();
    await this.#read(piece);
  }

  async #read(piece) {
    try {
      const fresh = await generations.get(piece.request_id);
      this.#hooks.on_piece(fresh);
      return fresh;
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 404) return null;
      this.#hooks.on_gone(piece);
      return 'gone';
    }
  }
}
