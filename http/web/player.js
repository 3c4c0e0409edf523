// Plays one piece at a time through one <audio>: what sounds, where, and whether in step with other listeners.
import { ended, generations, pause, silent, Problem } from './api.js';
import { Direct } from './direct.js';
import { Feed } from './feed.js';
import { correction, live_place } from './live.js';
import { Sound } from './sound.js';

const SHORT_OF_END_S = 0.1;
const MOST_FAULTS = 4, FAULTS_WHILE_MADE = 2;
const UNSETTLED_MS = 2000; // after a gap: the clock of the piece may be about to change; after a jump: one was enough

/** Fires `change` whenever what is played, or how, may have changed. */
export class Player extends EventTarget {
  piece = null;
  live = false;
  fault = ''; // a sentence about why nothing sounds
  sound;
  #audio;
  #source = null; // a Feed or a Direct, once something was asked to sound
  #run = new AbortController();
  #faults = 0;
  #wanted = false; // should sound; browsers pause the element themselves when it fails
  #settled_at = 0;

  constructor(audio) {
    super();
    this.#audio = audio;
    this.sound = new Sound(audio);
    audio.addEventListener('playing', () => {
      this.#faults = 0;
      this.fault = '';
    });
    for (const name of ['play', 'pause', 'playing', 'waiting', 'ended', 'seeked', 'timeupdate', 'durationchange']) {
      audio.addEventListener(name, () => this.#changed());
    }
    audio.addEventListener('play', () => { this.#wanted = true; });
    audio.addEventListener('pause', () => { if (!audio.error) this.#wanted = false; });
    audio.addEventListener('waiting', () => { if (!audio.seeking) this.#unsettle(); });
    audio.addEventListener('timeupdate', () => this.#keep_step());
    audio.addEventListener('error', () => this.#recover());
  }

  get time() { return this.#source?.time ?? 0; }
  get paused() { return this.#audio.paused; }
  get finished() { return this.#audio.ended; }
  get silent() { return this.piece !== null && silent(this.piece); }
  get untouched() { return !this.#source; }
  get waiting() { return !this.#audio.paused && !this.#audio.ended && this.#audio.readyState < 3; }

  /** Seconds that exist. */
  get made() {
    const told = this.piece.audio_ms / 1000;
    return ended(this.piece) ? told : Math.max(told, this.#source?.edge ?? 0);
  }

  /** Where listeners who are live are now, or null. */
  get live_second() { return this.piece && (live_place(this.piece, this.made)?.second ?? null); }

  /** Puts `piece`, or null, on the stage, silent. */
  show(piece) {
    this.#close();
    this.piece = piece;
    this.#changed();
  }

  play(piece) {
    this.show(piece);
    this.#move(0, true);
  }

  stop() { this.show(null); }

  toggle() {
    if (!this.piece) return;
    this.leave_live();
    if (!this.#audio.paused) return this.#audio.pause();
    if (this.silent) return;
    if (this.#source && !this.#audio.ended) this.#start();
    else this.#move(0, true);
  }

  /** Seconds from the start; clamped to what exists. */
  seek(second) {
    if (!this.piece || this.silent) return;
    this.leave_live();
    this.#move(second, this.#wanted);
  }

  /** Jumps to where the others are, and stays there. */
  join_live() {
    const second = this.live_second;
    if (second === null) return;
    this.#move(second, true);
    this.live = true;
    this.#changed();
  }

  leave_live() {
    this.live = false;
    this.#audio.playbackRate = 1;
    this.#changed();
  }

  #changed() { this.dispatchEvent(new Event('change')); }

  #move(second, sounding) {
    this.#source ??= Feed.possible() ? this.#feed() : new Direct(this.#audio, this.piece);
    this.#source.seek(Math.max(0, Math.min(second, this.made - SHORT_OF_END_S)));
    if (sounding) this.#start();
    this.#changed();
  }

  #feed() {
    return new Feed(this.#audio, this.piece, {
      gone: () => this.stop(),
      late: sentence => this.#complain(sentence),
      refused: sentence => this.#give_up(sentence),
    });
  }

  // The next press begins anew.
  #give_up(sentence) {
    this.#close();
    this.#complain(sentence);
  }

  #start() {
    this.fault = '';
    this.sound.wake();
    this.#audio.play().catch(error => {
      // AbortError: something else took over before this began.
      if (error.name === 'NotAllowedError') this.#complain('Your browser wants one more tap before it plays sound.');
    });
  }

  #complain(sentence) {
    this.fault = sentence;
    this.#changed();
  }

  #close() {
    this.#run.abort();
    this.#run = new AbortController();
    this.#source?.close();
    this.#source = null;
    this.#faults = 0;
    this.fault = '';
    this.live = false;
    this.#audio.playbackRate = 1;
    this.#audio.pause();
    this.#audio.removeAttribute('src');
    this.#audio.load();
  }

  #unsettle() { this.#settled_at = performance.now() + UNSETTLED_MS; }

  #keep_step() {
    const audio = this.#audio;
    if (!this.live || audio.paused || audio.seeking || this.waiting || performance.now() < this.#settled_at) return;
    const place = live_place(this.piece, this.made);
    if (!place) return this.leave_live();
    const { jump, rate } = place.certain ? correction(place.second - this.time, audio.playbackRate) : { jump: false, rate: 1 };
    if (audio.playbackRate !== rate) audio.playbackRate = rate;
    if (jump) {
      this.#move(place.second, true);
      this.#unsettle();
    }
  }

  // The element gave up: the server went away under a plain URL, or the browser cannot play one that still grows (iOS).
  // Take the piece up where it was, as soon as that can work.
  async #recover() {
    const { piece } = this;
    const { signal } = this.#run;
    if (!piece || !this.#audio.error) return;
    const sounding = this.#wanted;
    for (let wait = 400; !signal.aborted; wait = Math.min(wait * 2, 5000)) {
      await pause(wait, signal);
      const fresh = await generations.get(piece.request_id).catch(error => error);
      if (signal.aborted) return;
      if (fresh instanceof Problem && fresh.status === 404) return this.stop();
      if (fresh instanceof Error || (!ended(fresh) && this.#faults >= FAULTS_WHILE_MADE)) continue;
      if (++this.#faults > MOST_FAULTS) return this.#complain('This piece cannot be played in this browser. You can still download it.');
      Object.assign(piece, fresh);
      const second = this.time; // some browsers play on what they still have
      this.#source.close();
      this.#source = null;
      return this.#move(second, sounding);
    }
  }
}
