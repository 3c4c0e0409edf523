// The API key or token of a server that asks for one: typed once, kept for this tab alone.

const place = 'segue-key';
let key = sessionStorage.getItem(place) ?? '';
let declined = false;

export const shown = () => key;

/** What a request carries. */
export const credentials = () => (key ? { authorization: `Bearer ${key}` } : {});

/** For what the browser opens itself, without headers: sound, event streams, downloads. */
export const with_key = url => (key ? `${url}${url.includes('?') ? '&' : '?'}access_token=${encodeURIComponent(key)}` : url);

/** `used` was not good. Whether there is another one to try now. */
export function other_than(used) {
  if (key !== used) return true; // another request has asked already
  if (declined) return false;
  const typed = window.prompt(used ? 'This key is not good here. Another one?' : 'This server asks for an API key.')?.trim();
  declined = !typed;
  if (declined) return false;
  key = typed;
  sessionStorage.setItem(place, key);
  return true;
}
