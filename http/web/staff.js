// The picture: five strings, one for each band of the sound, low at the bottom. They swing where the music is heard
// now, and what was heard stays behind as ribbons and note heads. So the piece writes its score while it plays:
//   heard = ribbons · made = a solid line · still to come = dots · finished = a final bar line.

const BANDS = [[35, 130], [130, 320], [320, 800], [800, 2200], [2200, 9000]]; // Hz
const BUCKETS = 900;          // how finely one piece's trace is kept
const NOTE_GAP_S = 0.22;      // of two onsets in a band closer than this, one is kept
const COLUMN = 960;           // as in app.css
const LOWEST = 60, HIGHEST = 6000; // Hz, the pitches a note head can show

const new_trace = () => ({ levels: BANDS.map(() => new Float32Array(BUCKETS)), notes: [] });

export class Staff {
  #canvas;
  #pen;
  #frame = 0;
  #last = 0;
  #spectrum = null;
  #levels = BANDS.map(() => 0);
  #loudest = BANDS.map(() => 0.3); // of late, for each band: quiet treble swings as well as loud bass
  #slow = BANDS.map(() => 0);
  #phase = BANDS.map(() => 0);
  #traces = new Map();             // by piece, kept while the page is open
  #made = 0;
  #ink;
  #gutter = 20;
  #calm = matchMedia('(prefers-reduced-motion: reduce)');
  /** What to draw: {id, time, made, total, done, moving, analyser}, times in seconds; null for an empty staff. */
  view = null;

  constructor(canvas) {
    this.#canvas = canvas;
    this.#pen = canvas.getContext('2d');
    this.#resize();
    new ResizeObserver(() => this.#resize()).observe(canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#resize());
  }

  /** Shows `view`; keeps redrawing by itself for as long as something moves. */
  show(view) {
    if (view?.id !== this.view?.id) this.#made = 0;
    this.view = view;
    this.#wake();
  }

  #wake() { this.#frame ||= requestAnimationFrame(now => this.#tick(now)); }

  forget(id) { this.#traces.delete(id); }

  /** The second of the piece at a clientX. */
  second_at(client_x) {
    const { left, right } = this.#span();
    const box = this.#canvas.getBoundingClientRect();
    return (client_x - box.left - left) / (right - left) * (this.view?.total ?? 0);
  }

  #resize() {
    const ratio = Math.min(devicePixelRatio || 1, 2);
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    this.#canvas.width = Math.round(width * ratio);
    this.#canvas.height = Math.round(height * ratio);
    this.#pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    const style = getComputedStyle(this.#canvas);
    this.#gutter = parseFloat(style.getPropertyValue('--gutter-px')) || 20;
    this.#ink = {
      bands: BANDS.map((_, i) => style.getPropertyValue(`--band-${i}`).trim()),
      line: style.getPropertyValue('--line').trim(),
      dots: style.getPropertyValue('--soft').trim(),
      text: style.getPropertyValue('--text').trim(),
    };
    this.#wake();
  }

  // Time runs between the edges of the text column; the strings run on, out of the page.
  #span() {
    const width = this.#canvas.clientWidth;
    const column = Math.min(width - 2 * this.#gutter, COLUMN);
    const left = (width - column) / 2;
    return { width, left, right: left + column };
  }

  #tick(now) {
    this.#frame = 0;
    const elapsed = Math.min(0.05, (now - this.#last) / 1000);
    this.#last = now;
    const { view } = this;
    const time = view?.now() ?? 0;
    if (view?.moving() && view.analyser) this.#listen(view, time, elapsed);
    else this.#levels = this.#levels.map(level => level * Math.exp(-elapsed * 7));
    const made = view?.made ?? 0;
    this.#made += (made - this.#made) * (this.#calm.matches ? 1 : 1 - Math.exp(-elapsed * 8));
    if (Math.abs(made - this.#made) < 0.02) this.#made = made;
    this.#draw(time);
    if (view?.moving() || this.#made !== made || this.#levels.some(level => level > 0.004)) this.#wake();
  }

  // Reads the spectrum, and writes down what is heard.
  #listen(view, time, elapsed) {
    const { analyser } = view;
    this.#spectrum ??= new Uint8Array(analyser.frequencyBinCount);
    analyser.getByteFrequencyData(this.#spectrum);
    const bin = hz => Math.round(hz * analyser.fftSize / analyser.context.sampleRate);
    const trace = this.#trace(view.id);
    const bucket = Math.floor(time / view.total * BUCKETS);
    BANDS.forEach(([low, high], i) => {
      let sum = 0, peak = 0, peak_bin = bin(low);
      for (let k = bin(low); k < bin(high); k++) {
        const value = this.#spectrum[k];
        sum += value * value;
        if (value > peak) { peak = value; peak_bin = k; }
      }
      const loud = Math.sqrt(sum / (bin(high) - bin(low))) / 255;
      this.#loudest[i] = Math.max(loud, this.#loudest[i] * Math.exp(-elapsed / 12), 0.15);
      const level = (loud / this.#loudest[i]) ** 1.7;
      this.#slow[i] += (level - this.#slow[i]) * (1 - Math.exp(-elapsed * 5));
      const onset = level - this.#slow[i];
      this.#levels[i] += (level - this.#levels[i]) * (1 - Math.exp(-elapsed * (level > this.#levels[i] ? 30 : 6)));
      this.#phase[i] += elapsed * (7 + 5 * i);
      if (bucket >= 0 && bucket < BUCKETS) trace.levels[i][bucket] = Math.max(0.02, this.#levels[i]);
      if (onset > 0.15) this.#note(trace, time, i, onset, peak_bin * analyser.context.sampleRate / analyser.fftSize);
    });
  }

  #note(trace, time, band, strength, hz) {
    if (trace.notes.some(note => note.band === band && Math.abs(note.time - time) < NOTE_GAP_S)) return;
    const height = Math.log2(Math.min(HIGHEST, Math.max(LOWEST, hz)) / LOWEST) / Math.log2(HIGHEST / LOWEST);
    trace.notes.push({ time, band, strength: Math.min(1, strength * 1.6), height });
    trace.notes.sort((a, b) => a.time - b.time);
  }

  #trace(id) {
    if (!this.#traces.has(id)) this.#traces.set(id, new_trace());
    return this.#traces.get(id);
  }

  #draw(time) {
    const pen = this.#pen, { view } = this;
    const { width, left, right } = this.#span();
    const height = this.#canvas.clientHeight;
    const gap = height / 6.4;
    const string_y = i => Math.round(height / 2 + (2 - i) * gap) + 0.5; // crisp at rest
    const x_of = second => left + Math.min(1, second / (view?.total || 1)) * (right - left);
    pen.clearRect(0, 0, width, height);
    const head = view ? x_of(time) : 0, edge = view ? Math.max(x_of(this.#made), head) : width;
    if (view) this.#draw_trace(view, x_of, string_y, gap);
    BANDS.forEach((_, i) => {
      const path = this.#string_path(i, { y: string_y(i), gap, head, width });
      this.#stroke(path, 0, view ? left : width, this.#ink.line);
      if (!view) return;
      this.#stroke(path, left, edge, this.#ink.bands[i], 1 + this.#levels[i]);
      if (!view.done) this.#stroke(path, edge + 4, right, this.#ink.dots, 1.5, [1.5, 6]);
      this.#stroke(path, right, width, this.#ink.line);
    });
    if (view) this.#draw_bars(view, { head, edge, right, top: string_y(4), bottom: string_y(0), gap });
  }

  #draw_trace(view, x_of, string_y, gap) {
    const pen = this.#pen, trace = this.#trace(view.id);
    const step = Math.max(1, Math.round(BUCKETS / ((x_of(view.total) - x_of(0)) / 3)));
    const second = b => b / BUCKETS * view.total;
    trace.levels.forEach((levels, i) => {
      pen.fillStyle = this.#ink.bands[i];
      pen.globalAlpha = 0.42;
      pen.beginPath();
      for (let b = 0; b < BUCKETS; b += step) {
        const level = levels.subarray(b, b + step).reduce((most, one) => Math.max(most, one), 0);
        if (level === 0) continue;
        const half = level * gap * 0.24, x = x_of(second(b));
        pen.rect(x, string_y(i) - half, Math.max(1, (x_of(second(b + step)) - x) * 0.6), half * 2);
      }
      pen.fill();
    });
    pen.globalAlpha = 1;
    const bottom = string_y(0) + gap * 0.5, reach = string_y(0) - string_y(4) + gap;
    const taken = BANDS.map(() => -Infinity);
    for (const note of trace.notes) {
      const size = gap * (0.07 + 0.1 * note.strength), x = x_of(note.time);
      // A long piece on a narrow screen has more onsets than room.
      if (x - taken[note.band] < size * 2.6) continue;
      taken[note.band] = x;
      pen.fillStyle = this.#ink.bands[note.band];
      pen.beginPath();
      pen.ellipse(x, bottom - note.height * reach, size * 1.3, size * 0.9, -0.4, 0, 7);
      pen.fill();
    }
  }

  // One string from x to x. It swings around the playhead, in a packet that dies away to both sides.
  #string_path(i, { y, gap, head, width }) {
    const reach = Math.min(280, Math.max(100, width * 0.22));
    const swing = this.#calm.matches ? 0 : this.#levels[i] * gap * 0.9;
    const y_at = x => {
      const away = (x - head) / reach;
      if (swing < 0.2 || Math.abs(away) >= 1) return y;
      const wave = Math.sin((x - head) * (0.024 + 0.018 * i) - this.#phase[i])
        + 0.35 * Math.sin((x - head) * (0.055 + 0.03 * i) + this.#phase[i] * 1.7);
      return y + swing * (1 - away * away) ** 3 * wave;
    };
    return (from, to) => {
      this.#pen.beginPath();
      this.#pen.moveTo(from, y_at(from));
      if (swing >= 0.2) {
        for (let x = Math.max(from, head - reach); x < Math.min(to, head + reach); x += 2) this.#pen.lineTo(x, y_at(x));
      }
      this.#pen.lineTo(to, y_at(to));
    };
  }

  #stroke(path, from, to, colour, wide = 1, dash = []) {
    if (to <= from) return;
    path(from, to);
    this.#pen.strokeStyle = colour;
    this.#pen.lineWidth = wide;
    this.#pen.setLineDash(dash);
    this.#pen.stroke();
  }

  #draw_bars(view, { head, edge, right, top, bottom, gap }) {
    const pen = this.#pen;
    const bar = (x, wide, colour) => { pen.fillStyle = colour; pen.fillRect(x - wide / 2, top, wide, bottom - top); };
    if (view.done) {
      bar(right - 6, 1, this.#ink.text);
      bar(right - 1.5, 3, this.#ink.text);
    } else if (this.#made > 0) {
      bar(edge, 1, this.#ink.dots);
    }
    pen.fillStyle = this.#ink.text;
    pen.fillRect(head - 0.75, top - gap * 0.6, 1.5, bottom - top + gap * 1.2);
    pen.beginPath();
    pen.arc(head, top - gap * 0.6, 4, 0, 7);
    pen.fill();
  }
}
