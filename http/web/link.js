// Addresses of pieces: `/#ID` opens the page with that piece on its stage, ready to be heard from the start or live.

export const linked_id = () => /^#([0-9a-f-]{36})$/i.exec(location.hash)?.[1] ?? null;

/** The address bar follows what is on the stage, without filling the history. */
export function show_in_address(piece) {
  const hash = piece ? `#${piece.request_id}` : '';
  if (location.hash !== hash) history.replaceState(null, '', location.pathname + hash);
}

/** Hands on the address of `piece`; resolves to a sentence that says how it went. */
export async function share(piece) {
  const url = `${location.origin}/#${piece.request_id}`;
  try {
    // A phone has a sheet for it; elsewhere the clipboard is what people expect.
    if (navigator.share && matchMedia('(pointer: coarse)').matches) {
      await navigator.share({ title: piece.prompt, url });
      return '';
    }
    await navigator.clipboard.writeText(url);
    return 'Link copied';
  } catch (error) {
    if (error.name === 'AbortError') return ''; // thought better of it
    return 'The address of this page is the link: copy it from above'; // browsers keep the clipboard from plain HTTP
  }
}
