// The form: words in, a piece out, refusals in words.
import { ask_again } from './access.js';
import { generations, reach, Problem } from './api.js';

const $ = id => document.getElementById(id);
const NOT_ANSWERING = 'The server is not answering. Try again once it is back.';

/** Fires `asked` inside the user's gesture, `piece` with the new piece in `detail`, `input` when the words change. */
export class Composer extends EventTarget {
  #prompt = $('prompt');
  #seed = $('seed');
  #sending = false;

  constructor() {
    super();
    $('compose').addEventListener('submit', event => { event.preventDefault(); this.#compose(); });
    this.#prompt.addEventListener('keydown', event => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#compose();
    });
    this.#prompt.addEventListener('input', () => this.#changed());
    $('examples').addEventListener('click', event => {
      const idea = event.target.closest('button');
      if (!idea) return;
      this.#prompt.value = idea.textContent;
      this.#changed();
      this.#prompt.focus();
    });
    reach.addEventListener('change', () => { if (reach.ok && $('problem').textContent === NOT_ANSWERING) this.#forget_complaint(); });
    // Where typing does not raise a keyboard over half the screen, the page is ready for it.
    if (matchMedia('(hover: hover) and (pointer: fine)').matches) this.#prompt.focus({ preventScroll: true });
  }

  get words() { return this.#prompt.value.trim(); }

  /** Says why something was refused, here or elsewhere on the page. */
  complain(error) {
    this.#say(error instanceof Problem ? error.message : NOT_ANSWERING);
    this.#prompt.setAttribute('aria-invalid', String(error.field === 'prompt'));
    this.#seed.setAttribute('aria-invalid', String(error.field === 'seed'));
  }

  #say(text) { if ($('problem').textContent !== text) $('problem').textContent = text; }

  #forget_complaint() {
    this.#say('');
    this.#prompt.removeAttribute('aria-invalid');
    this.#seed.removeAttribute('aria-invalid');
  }

  async #compose() {
    if (this.#sending) return;
    this.#forget_complaint();
    this.dispatchEvent(new Event('asked'));
    if (!this.words) {
      this.#prompt.focus();
      return this.#say('Describe the music first: a mood, a style, some instruments.');
    }
    const request = { prompt: this.words, duration_s: Number($('duration').value) };
    const seed = this.#seed.value.trim();
    // What is no number goes as it is: the server knows best how to say what is allowed.
    if (seed) request.seed = /^\d+$/.test(seed) ? Number(seed) : seed;
    this.#sending = true;
    $('play').setAttribute('aria-disabled', 'true');
    ask_again();
    try {
      this.dispatchEvent(new CustomEvent('piece', { detail: await generations.create(request) }));
    } catch (error) {
      this.complain(error);
    }
    this.#sending = false;
    $('play').removeAttribute('aria-disabled');
  }

  #changed() {
    this.#forget_complaint();
    // For browsers without `field-sizing`.
    if (!CSS.supports('field-sizing', 'content')) {
      this.#prompt.style.height = 'auto';
      const { offsetHeight, clientHeight, scrollHeight } = this.#prompt;
      this.#prompt.style.height = `${scrollHeight + offsetHeight - clientHeight}px`; // with its borders
    }
    this.dispatchEvent(new Event('input'));
  }
}
