// The page: one player, and around it the form, the stage, the list, the keys and the address.
import { generations, reach, Problem } from './api.js';
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
  if (event.detail === player.piece) player.toggle();
  else present(event.detail, piece => player.play(piece));
});
library.addEventListener('refused', event => composer.complain(event.detail));
library.addEventListener('gone', event => {
  stage.forget(event.detail);
  if (event.detail === player.piece) player.stop();
});

// ---- the address ----

async function open_link() {
  const id = linked_id();
  if (!id || id === player.piece?.request_id) return;
  try {
    present(library.put(await generations.get(id)), piece => player.show(piece));
    $('toggle').focus({ preventScroll: true });
  } catch (error) {
    stage.say(error instanceof Problem ? 'The piece of this link is not here any more' : 'The server is not answering');
  }
}

addEventListener('hashchange', open_link);

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
