// Plays one piece at a time through one <audio>: while it is being made by Media Source Extensions fed from `fetch`,
// once it is finished by the plain URL, where Range makes seeking cheap.
import { generations, ended, offset_at, open, pause, unreachable, Problem } from './api.js';

const TYPE = 'audio/mpeg';
const KEEP_PLAYED_S = 20;
const can_feed = () => 'MediaSource' in window && MediaSource.isTypeSupported(TYPE);
const once = (target, name) => new Promise(resolve => target.addEventListener(name, resolve, { once: true }));

/** Fires `change` whenever what is played, or how, may have changed; `fault` with a sentence in `detail`. */
export class Player extends EventTarget {
  piece = null;
  analyser = null;
  #audio;
  #context = null;
  #samples;
  #run = new AbortController();
  #fed = false;
  #faults = 0;
  #wanted = false; // should sound; browsers pause the element themselves when it fails

  constructor(audio) {
    super();
    this.#audio = audio;
    for (const name of ['play', 'pause', 'playing', 'waiting', 'ended', 'seeked', 'timeupdate', 'durationchange']) {
      audio.addEventListener(name, () => this.#changed());
    }
    audio.addEventListener('playing', () => { this.#faults = 0; });
    audio.addEventListener('play', () => { this.#wanted = true; });
    audio.addEventListener('pause', () => { if (!audio.error) this.#wanted = false; });
    audio.addEventListener('error', () => this.#recover());
  }

  get paused() { return this.#audio.paused; }
  get time() { return this.#audio.currentTime; }
  get waiting() { return !this.#audio.paused && !this.#audio.ended && this.#audio.readyState < 3; }

  /** Call inside a user's gesture: before one, browsers keep an AudioContext silent. */
  wake() {
    if (!this.#context) {
      this.#context = new AudioContext();
      this.analyser = new AnalyserNode(this.#context, { fftSize: 4096, smoothingTimeConstant: 0.5, minDecibels: -90, maxDecibels: -18 });
      this.#samples = new Float32Array(this.analyser.fftSize);
      this.#context.createMediaElementSource(this.#audio).connect(this.analyser).connect(this.#context.destination);
    }
    if (this.#context.state !== 'running') this.#context.resume();
  }

  /** The loudest sample of the last 85 ms, 0..1. */
  peak() {
    if (!this.analyser) return 0;
    this.analyser.getFloatTimeDomainData(this.#samples);
    return this.#samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  }

  play(piece) {
    this.#reset();
    this.piece = piece;
    this.#faults = 0;
    if (!ended(piece) && can_feed()) this.#feed(piece, this.#run.signal);
    else this.#audio.src = piece.urls.audio;
    this.#start();
    this.#changed();
  }

  stop() {
    this.#reset();
    this.piece = null;
    this.#audio.pause();
    this.#audio.removeAttribute('src');
    this.#audio.load();
    this.#changed();
  }

  toggle() {
    if (!this.piece) return;
    if (!this.#audio.paused) return this.#audio.pause();
    if (this.#audio.ended) this.seek(0);
    this.#start();
  }

  /** Seconds from the start; clamped to what can be heard now. */
  seek(seconds) {
    const { buffered } = this.#audio;
    if (!this.piece) return;
    let to = Math.max(0, seconds);
    if (this.#fed) {
      const first = buffered.length ? buffered.start(0) : 0;
      const last = buffered.length ? buffered.end(buffered.length - 1) : 0;
      // Played sound may have been dropped to make room. The finished piece can be fetched anywhere.
      if ((to < first || to > last) && ended(this.piece)) return this.#play_plain(to);
      to = Math.min(Math.max(to, first), Math.max(first, last - 0.1));
    } else if (Number.isFinite(this.#audio.duration)) {
      to = Math.min(to, this.#audio.duration - 0.05);
    }
    this.#audio.currentTime = to;
    this.#changed();
  }

  // Ends whatever feeds the element now.
  #reset() {
    this.#run.abort();
    this.#run = new AbortController();
    this.#fed = false;
  }

  #changed() { this.dispatchEvent(new Event('change')); }
  #fault(detail) { this.dispatchEvent(new CustomEvent('fault', { detail })); }

  #start() {
    this.#audio.play().catch(error => {
      // AbortError: another piece took over before this one began.
      if (error.name === 'NotAllowedError') this.#fault('Your browser wants one more tap before it plays sound.');
    });
  }

  #play_plain(seconds) {
    const wanted = this.#wanted; // a new source clears it
    this.#reset();
    this.#audio.src = this.piece.urls.audio;
    this.#audio.currentTime = seconds;
    if (wanted) this.#start();
  }

  async #feed(piece, signal) {
    this.#fed = true;
    const source = new MediaSource();
    const opened = once(source, 'sourceopen');
    const url = URL.createObjectURL(source);
    this.#audio.src = url;
    await opened;
    URL.revokeObjectURL(url);
    const buffer = source.addSourceBuffer(TYPE);
    // One unbroken byte log: time goes on where the last frame ended, whatever connection brought it.
    buffer.mode = 'sequence';
    let bytes = 0;
    for (let wait = 200; !signal.aborted; wait = Math.min(wait * 2, 5000)) {
      const before = bytes;
      try {
        const response = await open(`${piece.urls.audio}?offset=${offset_at(bytes)}`, { signal, cache: 'no-store' });
        for (const reader = response.body.getReader(); ;) {
          const { done, value } = await reader.read();
          if (done) break;
          await this.#append(buffer, value, signal);
          bytes += value.length;
        }
        // A clean end says the stream is closed; the row, which may lag behind it, says so for certain.
        const fresh = await generations.get(piece.request_id);
        if (ended(fresh) && (bytes === before || bytes >= fresh.audio_bytes)) break;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Problem && error.status === 404) return this.stop();
        if (!(error instanceof Problem)) unreachable();
      }
      if (bytes > before) wait = 200;
      await pause(wait, signal);
    }
    if (!signal.aborted && source.readyState === 'open') source.endOfStream();
  }

  async #append(buffer, bytes, signal) {
    while (!signal.aborted) {
      try {
        const appended = once(buffer, 'updateend');
        buffer.appendBuffer(bytes);
        return await appended;
      } catch (error) {
        if (error.name !== 'QuotaExceededError') throw error;
        // Full: forget what was heard a while ago, or wait until more has been.
        const until = this.#audio.currentTime - KEEP_PLAYED_S;
        if (buffer.buffered.length && buffer.buffered.start(0) < until) {
          const removed = once(buffer, 'updateend');
          buffer.remove(0, until);
          await removed;
        } else {
          await pause(500, signal);
        }
      }
    }
  }

  // The element gave up: the server went away under a plain URL, or the browser cannot play one that still grows
  // (iOS). Take the piece up where it was, as soon as that can work.
  async #recover() {
    const { piece } = this;
    const run = this.#run;
    if (!piece || !this.#audio.error) return;
    const at = this.#audio.currentTime;
    for (let wait = 400; !run.signal.aborted; wait = Math.min(wait * 2, 5000)) {
      await pause(wait, run.signal);
      const fresh = await generations.get(piece.request_id).catch(error => error);
      if (run.signal.aborted) return;
      if (fresh instanceof Problem && fresh.status === 404) return this.stop();
      if (fresh instanceof Error) continue;
      if (!ended(fresh)) continue;
      if (++this.#faults > 3) return this.#fault('This piece cannot be played in this browser. You can still download it.');
      this.piece = Object.assign(piece, fresh);
      return this.#play_plain(at);
    }
  }
}
