// The page: one player, and around it the form, the stage, the list, the keys and the address.
import { ask_again, given } from './access.js';
import { generations, pause, reach, Unreachable } from './api.js';
import { Composer } from './composer.js';
import { listen_to_keys } from './keys.js';
import { Library } from './library.js';
import { linked_id, show_in_address } from './link.js';
import { Player } from './player.js';
import { Stage } from './stage.js';

const $ = id => document.getElementById(id);

const player = new Player($('audio'));
const library = new Library();
const composer = new Composer();
const stage = new Stage(player, () => composer.words);
listen_to_keys(player, $('staff'));

// For automated tests, and for the curious.
window.segue = {
  audio: $('audio'),
  get analyser() { return player.sound.analyser; },
  get currentId() { return player.piece?.request_id ?? null; },
  peak: () => player.sound.peak(),
};

// ---- what is on the stage ----

function present(piece, how) {
  opening.abort();
  how(piece);
  library.learn(piece);
  if ('mediaSession' in navigator) navigator.mediaSession.metadata = new MediaMetadata({ title: piece.prompt, artist: 'Segue' });
}

player.addEventListener('change', () => {
  library.mark(player.piece?.request_id ?? null, player.paused || player.finished);
  show_in_address(player.piece);
});
composer.addEventListener('asked', () => player.sound.wake());
composer.addEventListener('piece', event => {
  present(library.put(event.detail), piece => player.play(piece));
  // From here Space pauses and the arrows seek, instead of asking for one more piece.
  $('toggle').focus({ preventScroll: true });
});
composer.addEventListener('input', () => stage.render());
library.addEventListener('change', event => { if (event.detail === player.piece) stage.render(); });
library.addEventListener('play', event => {
  ask_again();
  if (event.detail === player.piece) player.toggle();
  else present(event.detail, piece => player.play(piece));
});
library.addEventListener('refused', event => composer.complain(event.detail));
library.addEventListener('gone', event => {
  stage.forget(event.detail);
  if (event.detail === player.piece) player.stop();
});

// ---- the address ----

const FIRST_WAIT = 1000, LONGEST_WAIT = 3000; // ms; no longer than a notice is shown
let opening = new AbortController();          // the link that is being opened, until something else is on the stage

async function open_link() {
  opening.abort();
  opening = new AbortController();
  const { signal } = opening, id = linked_id();
  if (!id || id === player.piece?.request_id) return;
  for (let wait = FIRST_WAIT; !signal.aborted; wait = Math.min(wait * 2, LONGEST_WAIT)) {
    const found = await generations.get(id).catch(error => error);
    if (signal.aborted) return;
    if (!(found instanceof Error)) return show_linked(found);
    stage.say(why_not(found));
    if (!passing(found)) return;
    await pause(wait, signal);
  }
}

function show_linked(fresh) {
  stage.say('');
  present(library.put(fresh), piece => player.show(piece));
  const writing = composer.words && document.activeElement === $('prompt');
  if (!writing) $('toggle').focus({ preventScroll: true });
}

const passing = error => error instanceof Unreachable || error.status === 503;

function why_not(error) {
  if (error instanceof Unreachable) return 'The server is not answering';
  return error.status === 404 ? 'The piece of this link is not here any more' : error.message;
}

addEventListener('hashchange', () => {
  ask_again();
  open_link();
});
given.addEventListener('change', () => {
  library.refresh();
  if (!player.piece) open_link();
});

// ---- the server ----

// A blip shorter than this is nobody's business.
const BLIP_MS = 700;
let note = 0;
reach.addEventListener('change', () => {
  clearTimeout(note);
  note = setTimeout(() => { $('connection').textContent = reach.ok ? '' : 'reconnecting'; }, reach.ok ? 0 : BLIP_MS);
});

library.refresh();
open_link();
