// The stage: title, staff, readout and buttons of the piece that is played.
import { ended } from './api.js';
import { share } from './link.js';
import { Staff } from './staff.js';
import * as wording from './wording.js';

const $ = id => document.getElementById(id);
const NOTICE_MS = 4000;
const set = (node, text) => { if (node.textContent !== text) node.textContent = text; };

export class Stage {
  #player;
  #words;
  #box = $('staff');
  #staff = new Staff(this.#box.querySelector('canvas'));
  #notice = '';
  #noticed = 0;

  /** `words`: what the form says at the moment. */
  constructor(player, words) {
    this.#player = player;
    this.#words = words;
    player.addEventListener('change', () => this.render());
    $('toggle').addEventListener('click', () => player.toggle());
    $('live').addEventListener('click', () => (player.live ? player.leave_live() : player.join_live()));
    $('share').addEventListener('click', async () => this.say(await share(player.piece)));
    this.#drag();
    // Live goes on without us.
    setInterval(() => { if (player.piece && player.paused) this.render(); }, 1000);
    this.render();
  }

  /** Shows a sentence for a moment in place of the status. */
  say(sentence) {
    this.#notice = sentence;
    clearTimeout(this.#noticed);
    this.#noticed = setTimeout(() => { this.#notice = ''; this.render(); }, NOTICE_MS);
    this.render();
  }

  forget(piece) { this.#staff.forget(piece.request_id); }

  render() {
    const player = this.#player, { piece } = player;
    const focused = document.activeElement;
    for (const id of ['toggle', 'share']) $(id).hidden = !piece;
    $('live').hidden = !piece || player.live_second === null;
    $('keys').hidden = !piece;
    if (focused?.hidden) $(piece ? 'toggle' : 'prompt').focus({ preventScroll: true }); // keyboard users go on from there
    for (const part of [$('toggle'), this.#box]) part.setAttribute('aria-disabled', String(!piece || player.silent));
    if (piece) this.#show(piece);
    else this.#clear();
  }

  #clear() {
    document.title = 'Segue';
    for (const id of ['title', 'tempo', 'plan', 'heard', 'progress']) set($(id), '');
    set($('status'), this.#notice || 'Nothing playing yet. The staff fills in as you listen.');
    this.#box.removeAttribute('tabindex');
    this.#staff.show(null);
  }

  #show(piece) {
    const player = this.#player, { made, time } = player;
    const endless = !ended(piece) && !piece.duration_s; // pushed, for as long as its producer wants
    const total = ended(piece) || endless ? made : piece.duration_s;
    const length = total || 1; // of the staff
    const sounding = !player.paused && !player.finished;
    const percent = ended(piece) ? 100 : Math.min(100, Math.max(piece.percent, endless ? 0 : Math.floor(made / length * 100)));
    const [tempo, plan] = wording.tempo_mark(piece.plan);
    document.title = `${sounding ? '▸ ' : ''}${piece.prompt} – Segue`;
    set($('title'), piece.prompt);
    $('stage').classList.toggle('titled-above', piece.prompt === this.#words());
    set($('tempo'), tempo);
    set($('plan'), plan);
    set($('heard'), wording.clock(time));
    set($('status'), this.#status(piece));
    const whole = ended(piece) || endless;
    set($('progress'), whole ? wording.clock(total) : `${wording.clock(made)} of ${wording.clock(total)} made, ${percent} %`);
    Object.assign($('progress').dataset, { percent, made: made.toFixed(1), heard: time.toFixed(1) });
    $('toggle').setAttribute('aria-label', sounding ? 'Pause' : 'Play');
    $('toggle').querySelector('use').setAttribute('href', sounding ? '#i-pause' : '#i-play');
    $('live').setAttribute('aria-pressed', String(player.live));
    this.#box.tabIndex = 0;
    this.#box.setAttribute('aria-valuemax', String(Math.round(total)));
    this.#box.setAttribute('aria-valuenow', String(Math.floor(time)));
    this.#box.setAttribute('aria-valuetext', `${wording.clock(time)} of ${wording.clock(total)}, ${percent} percent made`);
    this.#staff.show({
      id: piece.request_id, made, total: length, done: ended(piece), analyser: player.sound.analyser,
      moving: () => sounding && !player.waiting, now: () => player.time, live: () => (player.live ? null : player.live_second),
    });
  }

  #status(piece) {
    const player = this.#player;
    if (this.#notice || player.fault) return this.#notice || player.fault;
    if (piece.state === 'failed' || player.silent) return wording.state(piece) || 'There is no sound in it';
    if (piece.state === 'queued') return wording.place(piece);
    if (player.untouched) return player.live_second === null ? 'Press play to hear it' : 'Play it from the start, or join live';
    if (player.waiting && !ended(piece)) return player.time > 0 ? 'Waiting for more of it' : 'Being made';
    if (player.live) return 'Live, in step with the others';
    if (piece.state === 'running') return piece.attempt > 1 ? 'Still being made, after a restart' : 'Playing while it is being made';
    if (piece.state === 'cancelled') return 'Stopped early; what was made stays';
    return player.finished ? 'The end' : 'Complete';
  }

  // Dragging along the staff seeks.
  #drag() {
    const box = this.#box;
    const seek_to = event => this.#player.seek(this.#staff.second_at(event.clientX));
    box.addEventListener('pointerdown', event => {
      if (!this.#player.piece || event.button !== 0) return;
      box.setPointerCapture(event.pointerId);
      seek_to(event);
    });
    box.addEventListener('pointermove', event => { if (box.hasPointerCapture(event.pointerId)) seek_to(event); });
  }
}
