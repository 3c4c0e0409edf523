// Sound by a plain URL, for browsers that cannot feed MP3 to a Media Source: a growing piece is opened at the frame
// that is wanted, a finished one whole, where Range makes every second cheap.
import { with_key } from './access.js';
import { ended, frame_at, sound_from, FRAME_BYTES, FRAME_S } from './api.js';

export class Direct {
  #audio;
  #piece;
  #from = 0; // the second of the piece at which the element's own time begins
  #whole = false;

  constructor(audio, piece) {
    this.#audio = audio;
    this.#piece = piece;
  }

  get time() { return this.#from + this.#audio.currentTime; }

  get edge() {
    const { buffered } = this.#audio;
    return buffered.length ? this.#from + buffered.end(buffered.length - 1) : 0;
  }

  /** A second that is not at hand means a new source, and a new source pauses the element. */
  seek(second) {
    const inside = second - this.#from;
    if (!this.#audio.error && (this.#whole || this.#at_hand(inside))) return void (this.#audio.currentTime = inside);
    this.#whole = ended(this.#piece);
    const frame = this.#whole ? 0 : frame_at(second);
    this.#from = frame * FRAME_S;
    this.#audio.src = with_key(this.#whole ? this.#piece.urls.audio : sound_from(this.#piece, frame * FRAME_BYTES));
    if (this.#whole) this.#audio.currentTime = second;
  }

  close() {}

  #at_hand(inside) {
    const { buffered } = this.#audio;
    return buffered.length > 0 && buffered.start(0) <= inside && inside < buffered.end(buffered.length - 1);
  }
}
