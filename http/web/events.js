// Follows the event streams of the pieces that are not finished yet.
import { generations, ended, Problem } from './api.js';

// A browser allows six HTTP/1.1 connections per server. Three streams of events leave room for the sound and for
// requests; whatever is not followed here is read from the list, which the library asks for again every few seconds.
const MOST = 3;
const FIRST_WAIT = 250;
const LONGEST_WAIT = 8000;

/** `on_event(piece, event)` for each event, `on_piece(fresh)` for a re-read piece, `on_gone(piece)` after a 404. */
export class Follower {
  #lines = new Map();
  #hooks;

  constructor(hooks) { this.#hooks = hooks; }

  has(piece) { return this.#lines.has(piece.request_id); }

  /** Follows the first few of `pieces`, most important first, and lets go of all others. */
  follow(pieces) {
    const wanted = new Map(pieces.slice(0, MOST).map(piece => [piece.request_id, piece]));
    for (const [id, line] of this.#lines) if (!wanted.has(id)) this.#drop(id, line);
    for (const [id, piece] of wanted) {
      if (!this.#lines.has(id)) this.#open({ piece, wait: FIRST_WAIT });
    }
  }

  #drop(id, line) {
    line.source?.close();
    clearTimeout(line.timer);
    this.#lines.delete(id);
  }

  #open(line) {
    const { piece } = line;
    this.#lines.set(piece.request_id, line);
    // The offset outlives the line: a piece let go and followed again does not tell its story twice.
    line.source = new EventSource(`${piece.urls.events}?live=sse&offset=${piece.events_read ?? '-1'}`);
    line.source.addEventListener('data', message => {
      line.wait = FIRST_WAIT;
      for (const event of JSON.parse(message.data)) this.#hooks.on_event(piece, event);
    });
    line.source.addEventListener('control', message => {
      const control = JSON.parse(message.data);
      piece.events_read = control.streamNextOffset ?? piece.events_read;
      if (control.streamClosed) this.#settle(line);
    });
    line.source.onerror = () => this.#retry(line);
  }

  // EventSource would reconnect to the URL it was given, and so read everything again: close it, open a new one later.
  #retry(line) {
    line.source.close();
    line.timer = setTimeout(async () => {
      line.wait = Math.min(line.wait * 2, LONGEST_WAIT);
      const fresh = await this.#read(line.piece);
      if (this.#lines.get(line.piece.request_id) !== line) return;
      if (fresh === 'gone' || (fresh && ended(fresh))) this.#drop(line.piece.request_id, line);
      else if (fresh) this.#open(line);
      else this.#retry(line);
    }, line.wait);
  }

  // The row is a projection of the events and has the last word on times and totals.
  async #settle(line) {
    this.#drop(line.piece.request_id, line);
    await this.#read(line.piece);
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
