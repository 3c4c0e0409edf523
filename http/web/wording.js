// How the page says things: times, states, tempo marks.

export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

export function age(iso) {
  const seconds = (Date.now() - Date.parse(iso)) / 1000;
  if (!(seconds >= 45)) return 'just now';
  for (const [unit, size] of [['day', 86400], ['hour', 3600], ['minute', 60]]) {
    if (seconds >= size * 0.75) return relative.format(-Math.round(seconds / size), unit);
  }
  return 'just now';
}

const ordinal = new Intl.PluralRules('en', { type: 'ordinal' });
const endings = { one: 'st', two: 'nd', few: 'rd', other: 'th' };

/** Where a queued piece stands; servers may not tell. */
export function place({ place }) {
  if (!place) return 'Waiting its turn';
  return place === 1 ? 'Next in line' : `${place}${endings[ordinal.select(place)]} in line`;
}

export function state(piece) {
  switch (piece.state) {
    case 'queued': return place(piece);
    case 'running': return `Being made, ${Math.floor(piece.percent)} %`;
    case 'cancelled': return 'Stopped early';
    case 'failed': return piece.reason ? `Failed: ${piece.reason}` : 'Failed';
    default: return '';
  }
}

/** The plan of a `started` event as [tempo, the rest]; generators may leave anything out. */
export function tempo_mark(plan) {
  if (!plan) return ['', ''];
  const word = value => (['string', 'number'].includes(typeof value) ? String(value).trim() : '');
  const tempo = word(plan.tempo_bpm);
  const beat = /^[\d.]+$/.test(tempo) ? `♩ = ${Math.round(Number(tempo))}` : tempo;
  return [beat, [plan.key, plan.style, plan.mood].map(word).filter(Boolean).join(', ')];
}
