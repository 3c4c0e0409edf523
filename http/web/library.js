// The list of pieces: rows kept in step with the server by events, and by reading the list again now and then.
import { with_key } from './access.js';
import { generations, ended, reach, silent, Problem } from './api.js';
import { Follower } from './events.js';
import { note_time } from './live.js';
import * as wording from './wording.js';

const PAGE = 20;
const CONFIRM_MS = 4000;
const FIRST_WAIT = 1000, LONGEST_WAIT = 8000; // ms, after a failure

// A button that is disabled while the server is asked loses the focus.
const is_waiting = button => button.getAttribute('aria-disabled') === 'true';
const first_button = row => row?.querySelector('button[data-action]:not(:disabled, [hidden])');

/** Fires `change` with the piece in `detail`, `gone` likewise, and `play` when a row's button asks for it. */
export class Library extends EventTarget {
  #list = document.querySelector('#pieces');
  #more = document.querySelector('#more');
  #empty = document.querySelector('#empty');
  #row = document.querySelector('#piece-row');
  #pieces = new Map(); // id → piece
  #rows = new Map();
  #next = null;
  #timer = 0;
  #wait = FIRST_WAIT;
  #playing = { id: null, paused: true };
  #follower = new Follower({
    on_event: (piece, event, fresh) => this.#on_event(piece, event, fresh),
    on_piece: fresh => this.put(fresh),
    on_gone: piece => this.#remove(piece),
  });

  constructor() {
    super();
    this.#list.addEventListener('click', click => this.#on_click(click));
    this.#more.addEventListener('click', () => this.#load_more());
    document.addEventListener('visibilitychange', () => (document.hidden ? this.#follow() : this.refresh()));
    reach.addEventListener('change', () => { if (!reach.ok) this.#schedule(500); });
  }

  /** Takes over what the server says about a piece; the same object stays in use everywhere. */
  put(fresh) {
    const piece = this.#take(fresh);
    this.#follow();
    return piece;
  }

  #take(fresh) {
    // News of a piece deleted meanwhile.
    if (!fresh.urls && !this.#pieces.has(fresh.request_id)) return null;
    const piece = Object.assign(this.#pieces.get(fresh.request_id) ?? {}, fresh);
    if (fresh.urls) piece.place = fresh.place ?? null; // a whole row: what it leaves out is not so
    if (!this.#pieces.has(piece.request_id)) {
      this.#pieces.set(piece.request_id, piece);
      this.#add_row(piece);
    }
    this.#changed(piece);
    return piece;
  }

  /** Reads the newest page again; what is missing there was deleted elsewhere. */
  async refresh() {
    let wait;
    const known = [...this.#pieces.values()];
    try {
      const page = await generations.list(PAGE);
      const oldest = page.generations.at(-1)?.created_at;
      const there = new Set(page.generations.map(piece => piece.request_id));
      const covered = piece => !page.next || piece.created_at > oldest;
      for (const piece of known) if (covered(piece) && !there.has(piece.request_id)) this.#remove(piece);
      page.generations.forEach(fresh => this.#take(fresh));
      this.#follow();
      // Pages read further down stay: only the first look decides whether there is more.
      // But when nothing of this page was known, others lie between.
      const overlaps = known.some(piece => there.has(piece.request_id));
      if (known.length <= PAGE || !overlaps) this.#next = page.next;
      this.#wait = FIRST_WAIT;
      this.#list.removeAttribute('aria-busy');
    } catch (error) {
      if (error.status === 401) this.dispatchEvent(new CustomEvent('refused', { detail: error }));
      wait = this.#wait = Math.min(this.#wait * 1.6, LONGEST_WAIT);
    }
    this.#show_edges();
    this.#schedule(wait);
  }

  /** Tells the rows what is being heard. */
  mark(id, paused) {
    if (this.#playing.id === id && this.#playing.paused === paused) return;
    const before = this.#pieces.get(this.#playing.id);
    this.#playing = { id, paused };
    if (before) this.#draw(before);
    if (this.#pieces.has(id)) this.#draw(this.#pieces.get(id));
    this.#follow();
  }

  /** A finished piece carries neither its plan nor the time of its first sound; its events do. */
  async learn(piece) {
    if (piece.plan) return;
    for (const event of await generations.events(piece.request_id).catch(() => [])) {
      note_time(piece, event, false);
      if (event.type === 'started') this.put({ request_id: piece.request_id, plan: event.plan });
    }
  }

  #schedule(ms) {
    clearTimeout(this.#timer);
    const unfollowed = [...this.#pieces.values()].some(piece => !ended(piece) && !this.#follower.has(piece));
    this.#timer = setTimeout(() => (document.hidden ? this.#schedule() : this.refresh()),
      ms ?? (unfollowed ? 2000 : 15_000));
  }

  // What is heard matters most, then what is being made. A hidden page that is silent leaves its connection to others.
  #follow() {
    const heard = this.#pieces.get(this.#playing.id);
    const rank = piece => (piece === heard ? 0 : piece.state === 'running' ? 1 : 2);
    const live = [...this.#pieces.values()].filter(piece => !ended(piece));
    live.sort((a, b) => rank(a) - rank(b) || a.created_at.localeCompare(b.created_at)); // the queue runs oldest first
    this.#follower.follow(document.hidden && this.#playing.paused ? null : live[0] ?? null);
  }

  #on_event(piece, event, fresh) {
    note_time(piece, event, fresh);
    const seen = { request_id: piece.request_id };
    if (event.type === 'queued' && event.place !== undefined) seen.place = event.place;
    if (event.audio_ms !== undefined) seen.audio_ms = event.audio_ms;
    if (event.bytes !== undefined) seen.audio_bytes = event.bytes;
    if (event.percent !== undefined) seen.percent = event.percent;
    if (event.type === 'started') Object.assign(seen, { state: 'running', place: null, plan: event.plan, attempt: event.attempt, started_at: event.at });
    if (['completed', 'failed', 'cancelled'].includes(event.type)) Object.assign(seen, { state: event.type, reason: event.reason });
    if (event.type === 'completed') seen.percent = 100;
    this.put(seen);
  }

  async #load_more() {
    if (is_waiting(this.#more)) return;
    this.#more.setAttribute('aria-disabled', 'true');
    const last = this.#list.lastElementChild;
    try {
      const page = await this.#older();
      page.generations.forEach(fresh => this.#take(fresh));
      this.#next = page.next;
    } catch (error) { // the button is still there; a note says when nobody answers
      if (error instanceof Problem) this.dispatchEvent(new CustomEvent('refused', { detail: error }));
    }
    this.#more.removeAttribute('aria-disabled');
    const focused = document.activeElement === this.#more;
    this.#show_edges();
    if (focused && this.#more.hidden) first_button(last.nextElementSibling)?.focus();
  }

  // The page behind the oldest row that is still there.
  async #older() {
    for (;;) {
      const last = this.#pieces.get(this.#next);
      try {
        return await generations.list(PAGE, this.#next);
      } catch (error) {
        if (error.status !== 404 || !last) throw error;
        this.#remove(last); // elsewhere, and the list goes on behind the one before
      }
    }
  }

  #show_edges() {
    this.#more.hidden = !this.#next;
    this.#empty.hidden = this.#pieces.size > 0 || this.#list.hasAttribute('aria-busy');
  }

  #changed(piece) {
    this.#draw(piece);
    this.dispatchEvent(new CustomEvent('change', { detail: piece }));
  }

  #add_row(piece) {
    const row = this.#row.content.firstElementChild.cloneNode(true);
    row.dataset.id = piece.request_id;
    const part = name => row.querySelector(`[data-part=${name}]`);
    const action = name => row.querySelector(`[data-action=${name}]`);
    this.#rows.set(piece.request_id, { row, part, action });
    const older = [...this.#list.children].find(other => this.#pieces.get(other.dataset.id).created_at < piece.created_at);
    this.#list.insertBefore(row, older ?? null);
    this.#show_edges();
  }

  #draw(piece) {
    const { row, part, action } = this.#rows.get(piece.request_id);
    const live = !ended(piece), focused = document.activeElement;
    const current = this.#playing.id === piece.request_id;
    const sounding = current && !this.#playing.paused;
    const set = (node, text) => { if (node.textContent !== text) node.textContent = text; };
    row.dataset.state = piece.state;
    row.classList.toggle('current', current);
    row.classList.toggle('sounding', sounding);
    set(part('title'), piece.prompt);
    set(part('about'), [wording.state(piece), ...wording.tempo_mark(piece.plan)].filter(Boolean).join(' · '));
    set(part('age'), wording.age(piece.created_at));
    set(part('length'), silent(piece) ? '' : wording.clock((live && piece.duration_s) || piece.audio_ms / 1000));
    part('bar').style.transform = `scaleX(${live ? piece.percent / 100 : 0})`;
    const label = (name, text) => action(name).setAttribute('aria-label', `${text} “${piece.prompt}”`);
    label('play', sounding ? 'Pause' : 'Play');
    label('download', 'Download');
    label('cancel', 'Stop making');
    if (!action('delete').classList.contains('sure')) label('delete', 'Delete');
    action('play').disabled = silent(piece);
    action('download').href = with_key(piece.urls.download);
    action('download').hidden = silent(piece) || piece.state === 'queued';
    action('cancel').hidden = !live;
    action('delete').hidden = live;
    // Keyboard users stay in the row whose button they no longer need.
    if (row.contains(focused) && (focused.disabled || focused.hidden)) first_button(row).focus();
  }

  async #on_click(click) {
    const button = click.target.closest('[data-action]');
    const piece = this.#pieces.get(button?.closest('li')?.dataset.id);
    if (!piece || is_waiting(button)) return;
    const { action } = button.dataset;
    if (action === 'play') this.dispatchEvent(new CustomEvent('play', { detail: piece }));
    if (action === 'delete' && !button.classList.contains('sure')) this.#ask(button, piece);
    else if (action === 'delete' || action === 'cancel') await this.#end(action, button, piece);
  }

  // The second click on the same button is the answer; silence, or looking away, means no.
  #ask(button, piece) {
    const no = () => {
      clearTimeout(timer);
      button.classList.remove('sure');
      button.setAttribute('aria-label', `Delete “${piece.prompt}”`);
    };
    const timer = setTimeout(no, CONFIRM_MS);
    button.classList.add('sure');
    button.setAttribute('aria-label', `Really delete “${piece.prompt}”? Press again to delete`);
    button.addEventListener('blur', no, { once: true });
  }

  async #end(action, button, piece) {
    button.setAttribute('aria-disabled', 'true');
    try {
      if (action === 'cancel') this.put(await generations.cancel(piece.request_id));
      else {
        await generations.purge(piece.request_id);
        this.#remove(piece);
      }
    } catch (error) {
      if (error instanceof Problem && error.status === 404) this.#remove(piece);
      else this.dispatchEvent(new CustomEvent('refused', { detail: error }));
    }
    button.removeAttribute('aria-disabled');
  }

  #remove(piece) {
    if (!this.#pieces.delete(piece.request_id)) return;
    const { row } = this.#rows.get(piece.request_id);
    // Keyboard users stay where they were.
    const neighbour = first_button(row.nextElementSibling ?? row.previousElementSibling);
    if (row.contains(document.activeElement)) (neighbour ?? document.querySelector('#prompt')).focus();
    if (piece.request_id === this.#next) this.#next = row.previousElementSibling?.dataset.id ?? null;
    row.remove();
    this.#rows.delete(piece.request_id);
    this.#follow();
    this.#show_edges();
    this.dispatchEvent(new CustomEvent('gone', { detail: piece }));
  }
}
