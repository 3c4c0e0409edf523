// The picture: five strings, one for each band of the sound, low at the bottom. They swing where the music is heard
// now, and what was heard stays behind as ribbons and note heads. So the piece writes its score while it plays:
//   heard = ribbons · made = a solid line · still to come = dots · finished = a final bar line · live = a second, pulsing dot.
import { Bands, BANDS } from './bands.js';

const COLUMN = 960;  // as in app.css
const RIBBON_PX = 3; // how finely a ribbon is drawn
const BLOOM_S = 0.7; // how long a new note glows
const TOGETHER_S = 0.5; // closer than this to the others, nobody needs to be told where they are

export class Staff {
  #canvas;
  #pen;
  #bands = new Bands();
  #phase = BANDS.map(() => 0);
  #frame = 0;
  #last = 0;
  #made = 0;
  #ink;
  #gutter = 20;
  #calm = matchMedia('(prefers-reduced-motion: reduce)');
  #view = null;

  constructor(canvas) {
    this.#canvas = canvas;
    this.#pen = canvas.getContext('2d');
    this.#resize();
    new ResizeObserver(() => this.#resize()).observe(canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#resize());
  }

  /**
   * Shows {id, made, total, done, analyser, moving(), now(), live()}, times in seconds, `live()` null when there is
   * nobody to show; null for an empty staff. Keeps redrawing by itself for as long as something moves.
   */
  show(view) {
    if (view?.id !== this.#view?.id) this.#made = 0;
    this.#view = view;
    this.#wake();
  }

  forget(id) { this.#bands.forget(id); }

  /** The second of the piece at a clientX. */
  second_at(client_x) {
    const { left, right } = this.#span();
    const box = this.#canvas.getBoundingClientRect();
    return (client_x - box.left - left) / (right - left) * (this.#view?.total ?? 0);
  }

  #wake() { this.#frame ||= requestAnimationFrame(now => this.#tick(now)); }

  #resize() {
    const ratio = Math.min(devicePixelRatio || 1, 2);
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    this.#canvas.width = Math.round(width * ratio);
    this.#canvas.height = Math.round(height * ratio);
    this.#pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    const style = getComputedStyle(this.#canvas);
    const colour = name => style.getPropertyValue(name).trim();
    this.#gutter = parseFloat(colour('--gutter-px')) || 20;
    this.#ink = {
      bands: BANDS.map((_, i) => colour(`--band-${i}`)),
      line: colour('--line'), dots: colour('--soft'), text: colour('--text'), live: colour('--live'),
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
    const view = this.#view, bands = this.#bands;
    const time = view?.now() ?? 0, moving = view?.moving(), live = view?.live() ?? null;
    if (moving && view.analyser) bands.listen(view.analyser, elapsed, { id: view.id, time });
    else bands.fade(elapsed);
    this.#phase = this.#phase.map((phase, i) => phase + elapsed * (7 + 5 * i));
    const made = view?.made ?? 0;
    this.#made += (made - this.#made) * (this.#calm.matches ? 1 : 1 - Math.exp(-elapsed * 8));
    if (Math.abs(made - this.#made) < 0.02) this.#made = made;
    this.#draw(time, live);
    if (moving || live !== null || this.#made !== made || bands.levels.some(level => level > 0.004)) this.#wake();
  }

  #draw(time, live) {
    const pen = this.#pen, view = this.#view;
    const { width, left, right } = this.#span();
    const height = this.#canvas.clientHeight;
    const gap = height / 6.4;
    const string_y = i => Math.round(height / 2 + (2 - i) * gap) + 0.5; // crisp at rest
    const x_of = second => left + Math.min(1, second / (view?.total || 1)) * (right - left);
    pen.clearRect(0, 0, width, height);
    const head = view ? x_of(time) : 0, edge = view ? Math.max(x_of(this.#made), head) : width;
    if (view) this.#draw_ribbons(x_of, string_y, gap);
    BANDS.forEach((_, i) => {
      const path = this.#string_path(i, { y: string_y(i), gap, head, width });
      this.#stroke(path, 0, view ? left : width, this.#ink.line);
      if (!view) return;
      const level = this.#bands.levels[i];
      pen.globalAlpha = 0.22 * level;
      this.#stroke(path, left, edge, this.#ink.bands[i], 9 * level);
      pen.globalAlpha = 1;
      this.#stroke(path, left, edge, this.#ink.bands[i], 1 + level);
      if (!view.done) this.#stroke(path, edge + 4, right, this.#ink.dots, 1.5, [1.5, 6]);
      this.#stroke(path, right, width, this.#ink.line);
    });
    if (!view) return;
    const frame = { x_of, top: string_y(4), bottom: string_y(0), gap };
    this.#draw_notes(time, frame);
    this.#draw_bars(head, edge, right, frame);
    if (live !== null && Math.abs(live - time) > TOGETHER_S) this.#draw_live(x_of(live), frame);
  }

  // A ribbon along each string, as wide as its band was loud.
  #draw_ribbons(x_of, string_y, gap) {
    const pen = this.#pen, { id, total } = this.#view;
    const columns = Math.max(1, Math.round((x_of(total) - x_of(0)) / RIBBON_PX)), lasts = total / columns;
    this.#bands.trace(id).ribbons.forEach((ribbon, i) => {
      pen.fillStyle = this.#ink.bands[i];
      pen.globalAlpha = 0.4;
      pen.beginPath();
      for (let column = 0; column < columns; column++) {
        const level = ribbon.loudest(column * lasts, (column + 1) * lasts);
        if (level === 0) continue;
        const half = Math.max(0.75, level ** 1.6 * gap * 0.34), x = x_of(column * lasts);
        const wide = Math.max(1, (x_of((column + 1) * lasts) - x) * 0.6);
        pen.roundRect(x, string_y(i) - half, wide, half * 2, wide / 2);
      }
      pen.fill();
    });
    pen.globalAlpha = 1;
  }

  // Note heads at their pitch; the newest bloom.
  #draw_notes(time, { x_of, top, bottom, gap }) {
    const pen = this.#pen;
    const lowest = bottom + gap * 0.5, reach = bottom - top + gap;
    const taken = BANDS.map(() => -Infinity);
    pen.lineWidth = 1;
    pen.setLineDash([]);
    for (const note of this.#bands.trace(this.#view.id).notes) {
      const size = gap * (0.07 + 0.1 * note.strength);
      const x = Math.max(x_of(note.time), x_of(0) + size), y = lowest - note.height * reach;
      // A long piece on a narrow screen has more onsets than room.
      if (x - taken[note.band] < size * 2.6) continue;
      taken[note.band] = x;
      const age = (time - note.time) / BLOOM_S;
      const bloom = this.#calm.matches || age < 0 || age > 1 ? 0 : (1 - age) ** 2;
      const head = by => {
        pen.beginPath();
        pen.ellipse(x, y, size * 1.3 * by, size * 0.9 * by, -0.4, 0, 7);
      };
      pen.fillStyle = pen.strokeStyle = this.#ink.bands[note.band];
      pen.globalAlpha = 1;
      head(1 + 0.5 * bloom);
      pen.fill();
      if (bloom === 0) continue;
      pen.globalAlpha = bloom;
      head(1.5 + 2 * age);
      pen.stroke();
    }
    pen.globalAlpha = 1;
  }

  // One string from x to x. It swings around the playhead, in a packet that dies away to both sides.
  #string_path(i, { y, gap, head, width }) {
    const reach = Math.min(280, Math.max(100, width * 0.22));
    const swing = this.#calm.matches ? 0 : this.#bands.levels[i] * gap * 0.9;
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
    if (to <= from || wide === 0) return;
    path(from, to);
    this.#pen.strokeStyle = colour;
    this.#pen.lineWidth = wide;
    this.#pen.setLineDash(dash);
    this.#pen.stroke();
  }

  #draw_bars(head, edge, right, { top, bottom, gap }) {
    const pen = this.#pen;
    const bar = (x, wide, colour) => { pen.fillStyle = colour; pen.fillRect(x - wide / 2, top, wide, bottom - top); };
    if (this.#view.done) {
      bar(right - 6, 1, this.#ink.text);
      bar(right - 1.5, 3, this.#ink.text);
    } else if (this.#made > 0) {
      bar(edge, 1, this.#ink.dots);
    }
    pen.fillStyle = this.#ink.text;
    pen.fillRect(head - 0.75, top - gap * 0.6, 1.5, bottom - top + gap * 1.2);
    this.#dot(head, top - gap * 0.6, 4);
  }

  // Where the listeners are who are live.
  #draw_live(x, { top, gap }) {
    const pen = this.#pen, y = top - gap * 0.6, pulse = this.#calm.matches ? 0 : 0.5 + 0.5 * Math.sin(this.#last / 260);
    pen.fillStyle = this.#ink.live;
    pen.globalAlpha = 0.25;
    this.#dot(x, y, 5 + 3 * pulse);
    pen.globalAlpha = 1;
    this.#dot(x, y, 3.5);
  }

  #dot(x, y, radius) {
    this.#pen.beginPath();
    this.#pen.arc(x, y, radius, 0, 7);
    this.#pen.fill();
  }
}
