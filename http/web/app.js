// The page: wires the form, the stage and the list to one player.
import { generations, ended, reach, Problem } from './api.js';
import { Library } from './library.js';
import { Player } from './player.js';
import { Staff } from './staff.js';
import * as wording from './wording.js';

const $ = id => document.getElementById(id);
const audio = $('audio'), prompt = $('prompt'), seed = $('seed'), staff_box = $('staff');
const SEEK_S = 5;

const player = new Player(audio);
const staff = new Staff(staff_box.querySelector('canvas'));
const library = new Library();

// For automated tests, and for the curious.
window.segue = {
  audio,
  get analyser() { return player.analyser; },
  get currentId() { return player.piece?.request_id ?? null; },
  peak: () => player.peak(),
};

const set = (node, text) => { if (node.textContent !== text) node.textContent = text; };

const NOT_ANSWERING = 'The server is not answering. Try again once it is back.';

function complain(error) {
  set($('problem'), error instanceof Problem ? error.message : NOT_ANSWERING);
  prompt.setAttribute('aria-invalid', String(error.field === 'prompt'));
  seed.setAttribute('aria-invalid', String(error.field === 'seed'));
}

function forget_complaint() {
  set($('problem'), '');
  prompt.removeAttribute('aria-invalid');
  seed.removeAttribute('aria-invalid');
}

// ---- the form ----

let sending = false;

async function compose() {
  if (sending) return;
  forget_complaint();
  player.wake();
  const text = prompt.value.trim();
  if (!text) {
    prompt.focus();
    return set($('problem'), 'Describe the music first: a mood, a style, some instruments.');
  }
  const request = { prompt: text, duration_s: Number($('duration').value) };
  // What is no number goes as it is: the server knows best how to say what is allowed.
  if (seed.value.trim()) request.seed = /^\d+$/.test(seed.value.trim()) ? Number(seed.value) : seed.value.trim();
  sending = true;
  $('play').setAttribute('aria-disabled', 'true');
  try {
    listen(library.put(await generations.create(request)));
    // From here Space pauses and the arrows seek, instead of asking for one more piece.
    $('toggle').focus({ preventScroll: true });
  } catch (error) {
    complain(error);
  }
  sending = false;
  $('play').removeAttribute('aria-disabled');
}

$('compose').addEventListener('submit', event => { event.preventDefault(); compose(); });
prompt.addEventListener('keydown', event => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  compose();
});
prompt.addEventListener('input', () => { forget_complaint(); fit(); render(); });
$('examples').addEventListener('click', event => {
  const idea = event.target.closest('button');
  if (!idea) return;
  prompt.value = idea.textContent;
  forget_complaint();
  fit();
  render();
  prompt.focus();
});

// For browsers without `field-sizing`.
function fit() {
  if (CSS.supports('field-sizing', 'content')) return;
  prompt.style.height = 'auto';
  prompt.style.height = `${prompt.scrollHeight}px`;
}

// ---- the stage ----

let fault = '';

function listen(piece) {
  fault = '';
  player.wake();
  player.play(piece);
  library.learn_plan(piece);
  if ('mediaSession' in navigator) navigator.mediaSession.metadata = new MediaMetadata({ title: piece.prompt, artist: 'Segue' });
}

const made_s = piece => Math.max(piece.audio_ms / 1000, audio.buffered.length && !ended(piece) ? audio.buffered.end(audio.buffered.length - 1) : 0);
const total_s = piece => (ended(piece) ? piece.audio_ms / 1000 : piece.duration_s) || 1;
const moving = () => !player.paused && !player.waiting && !audio.ended;

function status_of(piece) {
  if (fault) return fault;
  if (piece.state === 'failed') return wording.state(piece);
  if (piece.state === 'queued') return 'Waiting its turn';
  if (player.waiting && !ended(piece)) return audio.currentTime > 0 ? 'Waiting for more of it' : 'Being made';
  if (piece.state === 'running') return piece.attempt > 1 ? 'Still being made, after a restart' : 'Playing while it is being made';
  if (piece.state === 'cancelled') return 'Stopped early; what was made stays';
  return audio.ended ? 'The end' : 'Complete';
}

function render() {
  const { piece } = player;
  library.mark(piece?.request_id ?? null, player.paused || audio.ended);
  $('toggle').hidden = !piece;
  staff_box.setAttribute('aria-disabled', String(!piece));
  if (!piece) {
    document.title = 'Segue';
    for (const id of ['title', 'tempo', 'plan', 'heard', 'progress']) set($(id), '');
    set($('status'), 'Nothing playing yet. The staff fills in as you listen.');
    staff_box.removeAttribute('tabindex');
    return staff.show(null);
  }
  const made = made_s(piece), total = total_s(piece), sounding = !player.paused && !audio.ended;
  const percent = ended(piece) ? 100 : Math.min(100, Math.max(piece.percent, Math.floor(made / total * 100)));
  const [tempo, plan] = wording.tempo_mark(piece.plan);
  document.title = `${sounding ? '▸ ' : ''}${piece.prompt} – Segue`;
  set($('title'), piece.prompt);
  $('stage').classList.toggle('titled-above', piece.prompt === prompt.value.trim());
  set($('tempo'), tempo);
  set($('plan'), plan);
  set($('heard'), wording.clock(player.time));
  set($('status'), status_of(piece));
  set($('progress'), ended(piece) ? wording.clock(total) : `${wording.clock(made)} of ${wording.clock(total)} made, ${percent} %`);
  Object.assign($('progress').dataset, { percent, made: made.toFixed(1), heard: player.time.toFixed(1) });
  $('toggle').setAttribute('aria-label', sounding ? 'Pause' : 'Play');
  $('toggle').querySelector('use').setAttribute('href', sounding ? '#i-pause' : '#i-play');
  staff_box.tabIndex = 0;
  staff_box.setAttribute('aria-valuemax', String(Math.round(total)));
  staff_box.setAttribute('aria-valuenow', String(Math.floor(player.time)));
  staff_box.setAttribute('aria-valuetext', `${wording.clock(player.time)} of ${wording.clock(total)}, ${percent} percent made`);
  staff.show({ id: piece.request_id, made, total, done: ended(piece), analyser: player.analyser, moving, now: () => audio.currentTime });
}

function toggle(piece = player.piece) {
  if (!piece) return;
  player.wake();
  if (piece === player.piece) {
    fault = '';
    player.toggle();
  } else {
    listen(piece);
  }
}

$('toggle').addEventListener('click', () => toggle());
player.addEventListener('change', render);
player.addEventListener('fault', event => { fault = event.detail; render(); });
library.addEventListener('change', event => { if (event.detail === player.piece) render(); });
library.addEventListener('play', event => toggle(event.detail));
library.addEventListener('refused', event => complain(event.detail));
library.addEventListener('gone', event => {
  staff.forget(event.detail.request_id);
  if (event.detail === player.piece) player.stop();
});

// Dragging along the staff seeks.
const seek_to = event => player.seek(staff.second_at(event.clientX));
staff_box.addEventListener('pointerdown', event => {
  if (!player.piece || event.button !== 0) return;
  staff_box.setPointerCapture(event.pointerId);
  seek_to(event);
});
staff_box.addEventListener('pointermove', event => { if (staff_box.hasPointerCapture(event.pointerId)) seek_to(event); });

// ---- keys ----

document.addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  const at = event.target;
  if (at.closest('input, textarea, select')) return;
  const act = {
    // A focused button or link keeps its own meaning of Space.
    ' ': at.closest('button, a, summary') ? null : () => toggle(),
    ArrowLeft: () => player.seek(player.time - SEEK_S),
    ArrowRight: () => player.seek(player.time + SEEK_S),
    Home: at === staff_box ? () => player.seek(0) : null,
    End: at === staff_box ? () => player.seek(total_s(player.piece)) : null,
  }[event.key];
  if (!act || !player.piece) return;
  event.preventDefault();
  act();
});

// ---- the server ----

// A blip shorter than this is nobody's business.
const BLIP_MS = 700;
let note = 0;
reach.addEventListener('change', () => {
  if (reach.ok && $('problem').textContent === NOT_ANSWERING) forget_complaint();
  clearTimeout(note);
  note = setTimeout(() => set($('connection'), reach.ok ? '' : 'reconnecting'), reach.ok ? 0 : BLIP_MS);
});

// Where typing does not raise a keyboard over half the screen, the page is ready for it.
if (matchMedia('(hover: hover) and (pointer: fine)').matches) prompt.focus({ preventScroll: true });
library.refresh();
render();
