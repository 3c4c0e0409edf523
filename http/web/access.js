// The API key or token of a server that asks for one: typed once, kept for this tab alone.

const place = 'segue-key';
const can_be_key = text => /^[\x21-\x7e]{1,4096}$/.test(text); // what fits into a header
let key = kept();
let declined = false;

/** Fires `change` when somebody has given a key. */
export const given = new EventTarget();

export const shown = () => key;

/** What a request carries. */
export const credentials = () => (key ? { authorization: `Bearer ${key}` } : {});

/** For what the browser opens itself, without headers: sound, event streams, downloads. */
export const with_key = url => (key ? `${url}${url.includes('?') ? '&' : '?'}access_token=${encodeURIComponent(key)}` : url);

/** Who would not tell the key may have it at hand now. */
export const ask_again = () => { declined = false; };

/** `used` was not good. Whether there is another one to try now. */
export function other_than(used) {
  if (key !== used) return true; // another request has asked already
  if (declined) return false;
  const typed = typed_after(used ? 'This key is not good here. Another one?' : 'This server asks for an API key.');
  declined = !typed;
  if (declined) return false;
  key = typed;
  sessionStorage.setItem(place, key);
  given.dispatchEvent(new Event('change'));
  return true;
}

// Asks until it hears something that can be a key, or nothing.
function typed_after(question) {
  const typed = window.prompt(question)?.trim();
  if (!typed || can_be_key(typed)) return typed;
  return typed_after('This cannot be a key. One looks like sk_name_0123abcd…, in plain letters, digits and signs without spaces. Which is it?');
}

function kept() {
  const text = sessionStorage.getItem(place) ?? '';
  if (can_be_key(text)) return text;
  sessionStorage.removeItem(place);
  return '';
}
