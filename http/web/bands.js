// What the eye is told about the sound: how loud each of five bands is, when a note begins, and what was heard so far.

export const BANDS = [[35, 130], [130, 320], [320, 800], [800, 2200], [2200, 9000]]; // Hz
const BUCKET_S = 0.02;               // how finely the trace of a piece is kept
const NOTE_GAP_S = 0.22;             // of two onsets in a band closer than this, one is kept
const LOWEST = 60, HIGHEST = 6000;   // Hz, the pitches a note can show

/** How loud one band was, 0..1, by second, for however long the piece turns out to be. */
class Ribbon {
  #levels = new Float32Array(1024);

  put(second, level) {
    const bucket = Math.floor(second / BUCKET_S);
    if (bucket >= this.#levels.length) {
      const longer = new Float32Array(2 ** Math.ceil(Math.log2(bucket + 1)));
      longer.set(this.#levels);
      this.#levels = longer;
    }
    this.#levels[bucket] = level;
  }

  /** The most from one second to another; 0: not heard yet. */
  loudest(from, to) {
    let most = 0;
    const end = Math.min(this.#levels.length, Math.ceil(to / BUCKET_S));
    for (let bucket = Math.floor(from / BUCKET_S); bucket < end; bucket++) most = Math.max(most, this.#levels[bucket]);
    return most;
  }
}

export class Bands {
  /** Loudness of each band, 0..1, swiftly up and slowly down. */
  levels = BANDS.map(() => 0);
  #spectrum = null;
  #loudest = BANDS.map(() => 0.3); // of late, for each band: quiet treble counts as much as loud bass
  #slow = BANDS.map(() => 0);
  #traces = new Map();             // by piece, kept while the page is open

  /** What was heard of a piece: {ribbons: one for each band, notes: [{time, band, strength, height}]}. */
  trace(id) {
    if (!this.#traces.has(id)) this.#traces.set(id, { ribbons: BANDS.map(() => new Ribbon()), notes: [] });
    return this.#traces.get(id);
  }

  forget(id) { this.#traces.delete(id); }

  /** Silence: what still rings dies away. */
  fade(elapsed) { this.levels = this.levels.map(level => level * Math.exp(-elapsed * 7)); }

  /** Listens once, `elapsed` seconds after the last time, and writes down what sounds at `time` of a piece. */
  listen(analyser, elapsed, { id, time }) {
    this.#spectrum ??= new Uint8Array(analyser.frequencyBinCount);
    analyser.getByteFrequencyData(this.#spectrum);
    const hz_per_bin = analyser.context.sampleRate / analyser.fftSize;
    const trace = this.trace(id);
    BANDS.forEach(([low, high], i) => {
      const first = Math.round(low / hz_per_bin), end = Math.round(high / hz_per_bin);
      let sum = 0, loudest_bin = first;
      for (let bin = first; bin < end; bin++) {
        sum += this.#spectrum[bin] ** 2;
        if (this.#spectrum[bin] > this.#spectrum[loudest_bin]) loudest_bin = bin;
      }
      const loud = Math.sqrt(sum / (end - first)) / 255;
      this.#loudest[i] = Math.max(loud, this.#loudest[i] * Math.exp(-elapsed / 12), 0.15);
      const level = (loud / this.#loudest[i]) ** 1.7;
      this.#slow[i] += (level - this.#slow[i]) * (1 - Math.exp(-elapsed * 5));
      this.levels[i] += (level - this.levels[i]) * (1 - Math.exp(-elapsed * (level > this.levels[i] ? 30 : 6)));
      trace.ribbons[i].put(time, Math.max(0.02, this.levels[i]));
      const onset = level - this.#slow[i];
      if (onset > 0.15) this.#note(trace.notes, time, i, onset, loudest_bin * hz_per_bin);
    });
  }

  #note(notes, time, band, strength, hz) {
    if (notes.some(note => note.band === band && Math.abs(note.time - time) < NOTE_GAP_S)) return;
    const height = Math.log2(Math.min(HIGHEST, Math.max(LOWEST, hz)) / LOWEST) / Math.log2(HIGHEST / LOWEST);
    notes.push({ time, band, strength: Math.min(1, strength * 1.6), height });
    notes.sort((a, b) => a.time - b.time);
  }
}
