// What comes out of the <audio>, for the eye: an analyser between the element and the loudspeaker.

const MOST_SAMPLES = 4096; // of the analyser: 85 ms at 48 kHz

export class Sound {
  analyser = null;
  #audio;
  #context = null;
  #samples = new Float32Array(MOST_SAMPLES);

  constructor(audio) { this.#audio = audio; }

  /** Call inside a user's gesture: before one, browsers keep an AudioContext silent. */
  wake() {
    if (!this.#context) {
      this.#context = new AudioContext();
      this.analyser = new AnalyserNode(this.#context, { fftSize: MOST_SAMPLES, smoothingTimeConstant: 0.5, minDecibels: -90, maxDecibels: -18 });
      this.#context.createMediaElementSource(this.#audio).connect(this.analyser).connect(this.#context.destination);
    }
    if (this.#context.state !== 'running') this.#context.resume();
  }

  /** The loudest sample of late, 0..1. */
  peak() {
    if (!this.analyser) return 0;
    this.analyser.getFloatTimeDomainData(this.#samples);
    return this.#samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  }
}
