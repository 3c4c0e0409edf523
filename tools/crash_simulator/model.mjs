// What must be true of one stream after a crash, in plain words of what was acknowledged and what was under way.
import assert from 'node:assert/strict';

/// The end of an answer that was lost: the write may have happened, or not.
export const unknown = Symbol('unknown');

export class Stream {
  pieces = []; // what was acknowledged, in order: texts, or JSON messages as texts
  offsets = []; // behind each piece, where that is known
  underWay = []; // pieces whose acknowledgement never came; any beginning of them may have been stored
  closed = false; // true, false or unknown
  exists = unknown; // true, false or unknown
  deleted = false; // a deletion was acknowledged: it never comes back
  producer = undefined; // {id, epoch, seq}: the last one acknowledged
  heard = 0; // so many pieces were read already: they stay, acknowledged or not

  /// `expiresAt`: ms since 1970, when it must be gone; `ttl`: it may go whenever nobody uses it.
  constructor({ path, json = false, parent, expiresAt, ttl }) {
    Object.assign(this, { path, json, parent, expiresAt, ttl, forks: [] });
  }

  get mortal() {
    return this.expiresAt !== undefined || this.ttl !== undefined;
  }

  acknowledge(pieces, next) {
    for (const piece of pieces) {
      this.pieces.push(piece);
      this.offsets.push(undefined);
    }
    if (pieces.length > 0) this.offsets[this.offsets.length - 1] = next;
  }

  /// Whether a deleted stream is still there for forks of it: true, false, or unknown.
  get needed() {
    const kept = this.forks.map((fork) => {
      if (fork.deleted) return fork.needed;
      return fork.exists === true && fork.mortal ? unknown : fork.exists;
    });
    return kept.includes(true) ? true : kept.includes(unknown) ? unknown : false;
  }

  /// Compares what a GET of the whole stream answered with what may be. Afterwards nothing is unknown any more. Returns how many
  /// pieces had been stored although nobody was told.
  check({ status, pieces, closed, next }, now) {
    if (status === 404 || status === 410) return this.checkAbsence(status);
    assert.equal(status, 200, `${this.path}: status ${status}`);
    assert(!this.deleted, `${this.path}: it was deleted and is back`);
    assert(this.exists !== false, `${this.path}: it was gone and is back`);
    if (this.expiresAt !== undefined)
      assert(now < this.expiresAt + 500, `${this.path}: its time was over ${now - this.expiresAt} ms ago`);
    this.exists = true;
    const more = this.checkContent(pieces, next);
    if (this.closed !== unknown) assert.equal(closed, this.closed, `${this.path}: closed is ${closed}`);
    this.closed = closed;
    return more;
  }

  checkAbsence(status) {
    const expected = this.deleted ? this.needed : unknown;
    if (this.deleted) {
      if (expected !== unknown)
        assert.equal(status, expected ? 410 : 404, `${this.path}: deleted, and kept for forks: ${expected}`);
    } else {
      assert(this.exists !== true || this.mortal, `${this.path}: it is lost, with ${this.pieces.length} pieces`);
    }
    if (!this.deleted) this.exists = false;
    if (status === 410) this.deleted = true; // a deletion whose answer was lost, or its time was over; forks keep it
  }

  checkContent(pieces, next) {
    const { pieces: known, underWay, path } = this;
    const text = this.json ? undefined : pieces;
    const candidates = underWay.map((_, i) => [...known, ...underWay.slice(0, i + 1)]).reverse();
    const matches = (candidate) =>
      this.json
        ? JSON.stringify(pieces) === JSON.stringify(candidate.map((piece) => JSON.parse(piece)))
        : text === candidate.join('');
    const found = [...candidates, known].find(matches);
    const told = (list) =>
      typeof list === 'string' ? `${list.length} bytes: …${list.slice(-200)}` : JSON.stringify(list).slice(-300);
    assert(found, `${path}: it reads ${told(pieces)}; acknowledged: ${told(known.join(''))}; under way: ${told(underWay)}`);
    assert(found.length >= this.heard, `${path}: ${this.heard} pieces had been read, now there are ${found.length}`);
    const more = found.slice(known.length);
    if (more.length > 0) this.acknowledge(more, next);
    this.underWay = [];
    this.heard = Math.max(this.heard, found.length);
    return more.length;
  }
}
