// Sound by Media Source Extensions, fed from `fetch` at exact bytes: it sounds while it is made, a cut connection goes
// on at the byte where it broke, and any second that exists can be sought.
import { ended, frame_at, generations, open, pause, sound_from, unreachable, FRAME_BYTES, FRAME_S, Problem } from './api.js';

const TYPE = 'audio/mpeg';
const FIRST_WAIT = 200, LONGEST_WAIT = 1600; // before a stream that was cut is opened again
const RESTING_MS = 80;                       // a finger that drags passes many places; where it rests is fetched
const KEEP_PLAYED_S = 20;
const once = (target, name) => new Promise(resolve => target.addEventListener(name, resolve, { once: true }));

export class Feed {
  #audio;
  #piece;
  #on;
  #source = new MediaSource();
  #buffer;
  #run = new AbortController();
  #turn;

  static possible() { return 'MediaSource' in window && MediaSource.isTypeSupported(TYPE); }

  /**
   * Takes over `audio`; sounds from wherever the first `seek` says. Calls `on.gone` when the piece was deleted, `on.refused`
   * with the server's sentence when it does not give the sound, and `on.late` with one while it cannot.
   */
  constructor(audio, piece, on) {
    this.#audio = audio;
    this.#piece = piece;
    this.#on = on;
    this.#turn = this.#attach();
  }

  get time() { return this.#audio.currentTime; }

  /** How far it could be heard without waiting. */
  get edge() {
    const { buffered } = this.#audio;
    return buffered.length ? buffered.end(buffered.length - 1) : 0;
  }

  seek(second) {
    // As long as it may grow only what is buffered can be sought, and the element would stay there.
    if (this.#source.readyState === 'open') this.#source.setLiveSeekableRange?.(0, second + 1);
    this.#audio.currentTime = second;
    const { buffered } = this.#audio;
    if (buffered.length && buffered.start(0) <= second && second < this.edge) return;
    this.#run.abort();
    this.#run = new AbortController();
    const { signal } = this.#run;
    // Each run ends before the next one begins: they share the buffer.
    this.#turn = this.#turn.then(() => this.#fill(second, signal));
  }

  close() { this.#run.abort(); }

  async #attach() {
    const opened = once(this.#source, 'sourceopen');
    const url = URL.createObjectURL(this.#source);
    this.#audio.src = url;
    await opened;
    URL.revokeObjectURL(url);
    this.#buffer = this.#source.addSourceBuffer(TYPE);
    // One unbroken log of bytes: time goes on where the last frame ended, whatever connection brought it.
    this.#buffer.mode = 'sequence';
  }

  // Fills the buffer from `second` to the end of the piece, however long that takes to be made.
  async #fill(second, signal) {
    if (this.#buffer.buffered.length) {
      await pause(RESTING_MS, signal);
      if (signal.aborted) return;
      await this.#remove(Infinity);
    }
    if (signal.aborted) return;
    this.#buffer.abort(); // forgets half a frame, if a run before this one ended in it
    const frame = frame_at(second);
    this.#buffer.timestampOffset = frame * FRAME_S;
    const first = frame * FRAME_BYTES;
    let position = first;
    for (let wait = FIRST_WAIT; !signal.aborted; wait = Math.min(wait * 2, LONGEST_WAIT)) {
      const before = position;
      try {
        const response = await open(sound_from(this.#piece, position), { signal, cache: 'no-store' });
        for (const reader = response.body.getReader(); ;) {
          const { done, value } = await reader.read();
          if (done) break;
          await this.#append(value, signal);
          position += value.length;
        }
        // A clean end says that the stream is closed; the row, which may lag behind it, says so for certain.
        const fresh = await generations.get(this.#piece.request_id);
        if (ended(fresh) && (position === before || position >= fresh.audio_bytes)) break;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Problem && error.status === 404) return this.#on.gone();
        if (error instanceof Problem && error.passes) this.#on.late(error.message);
        else if (error instanceof Problem) return this.#on.refused(error.message);
        if (error instanceof TypeError) unreachable(); // cut in the middle
      }
      if (position > before) wait = FIRST_WAIT;
      await pause(wait, signal);
    }
    if (signal.aborted || this.#source.readyState !== 'open') return;
    if (position > first) this.#source.endOfStream();
    else this.#audio.pause(); // it ended before there was any sound
  }

  async #append(bytes, signal) {
    while (!signal.aborted) {
      try {
        const appended = once(this.#buffer, 'updateend');
        this.#buffer.appendBuffer(bytes);
        return await appended;
      } catch (error) {
        if (error.name !== 'QuotaExceededError') throw error;
        // Full: forget what was heard a while ago, or wait until more has been.
        const until = this.#audio.currentTime - KEEP_PLAYED_S;
        if (this.#buffer.buffered.length && this.#buffer.buffered.start(0) < until) await this.#remove(until);
        else await pause(500, signal);
      }
    }
  }

  async #remove(until) {
    const removed = once(this.#buffer, 'updateend');
    this.#buffer.remove(0, until);
    await removed;
  }
}
