import { GENESIS, hashOfLine, readLink, type Link, type Position } from './chain';

export type FaultKind = 'unreadable' | 'edited' | 'dropped' | 'reordered' | 'cut' | 'rewritten' | 'forged';

/** The first thing wrong with a chain. */
export interface Fault {
  readonly kind: FaultKind;
  /** The record it concerns, as far as that can be told. */
  readonly seq: number | null;
  /** For people: what is wrong and where. */
  readonly message: string;
}

/** Something outside the records that says what record `seq` must be. */
export interface Witness extends Position {
  /** "the checkpoint of 2026-11-22T10:00:00.000Z" */
  readonly name: string;
}

/** Where the records begin: at the very first, or after older ones that were moved elsewhere. */
export interface ChainCheckOptions {
  readonly firstSeq?: number | undefined;
  readonly witnesses?: readonly Witness[] | undefined;
}

/**
 * Checks a chain line by line, without keeping it. The first fault is kept; what follows it is only searched for the
 * record that is missing, because a swapped line and a lost one look alike at first.
 */
export class ChainCheck {
  readonly #witnesses = new Map<number, readonly Witness[]>();
  readonly #firstSeq: number;
  #last: Position;
  #fault: Fault | null = null;
  #missing: number | null = null;
  #records = 0;

  constructor({ firstSeq = 1, witnesses = [] }: ChainCheckOptions = {}) {
    this.#firstSeq = firstSeq;
    this.#last = { seq: firstSeq - 1, hash: GENESIS };
    for (const witness of witnesses)
      this.#witnesses.set(witness.seq, [...(this.#witnesses.get(witness.seq) ?? []), witness]);
  }

  /** The last good record. */
  get last(): Position {
    return this.#last;
  }

  /** Good records so far. */
  get records(): number {
    return this.#records;
  }

  accept(line: string): void {
    const link = readLink(line);
    if (this.#fault) {
      if (link?.seq === this.#missing) this.#fault = reordered(link.seq);
    } else {
      this.#fault = link ? this.judge(link, line) : unreadable(this.#last.seq + 1);
      if (this.#fault || !link) return;
      this.#last = link;
      this.#records++;
    }
  }

  /** To be called after the last line. @returns the first fault, or `null` for a good chain */
  finish(): Fault | null {
    if (this.#fault) return this.#fault;
    const beyond = [...this.#witnesses.values()].flat().find(({ seq }) => seq > this.#last.seq);
    return beyond ? cut(this.#last.seq, beyond) : null;
  }

  private judge(link: Link, line: string): Fault | null {
    const expected = this.#last.seq + 1;
    if (link.seq < expected) return reordered(link.seq);
    if (hashOfLine(line) !== link.hash) return edited(link.seq);
    if (link.seq > expected) {
      this.#missing = expected;
      return dropped(expected, link.seq - 1);
    }
    // The hash before a first record that is not the very first cannot be known.
    const isBase = this.#records === 0 && this.#firstSeq > 1;
    if (!isBase && link.prevHash !== this.#last.hash) return replaced(this.#last.seq);
    const against = this.#witnesses.get(link.seq)?.find(({ hash }) => hash !== link.hash);
    return against ? rewritten(link.seq, against) : null;
  }
}

const unreadable = (seq: number): Fault => ({
  kind: 'unreadable',
  seq,
  message: `Where record ${seq} should be there is a line that is not a record.`,
});
const edited = (seq: number): Fault => ({
  kind: 'edited',
  seq,
  message: `Record ${seq} was edited: its hash does not match its text.`,
});
const replaced = (seq: number): Fault => ({
  kind: 'edited',
  seq,
  message: `Record ${seq} was replaced: the record after it names another hash.`,
});
const dropped = (first: number, last: number): Fault => ({
  kind: 'dropped',
  seq: first,
  message: first === last ? `Record ${first} is missing.` : `Records ${first} to ${last} are missing.`,
});
const reordered = (seq: number): Fault => ({
  kind: 'reordered',
  seq,
  message: `Record ${seq} is out of its place.`,
});
const rewritten = (seq: number, witness: Witness): Fault => ({
  kind: 'rewritten',
  seq,
  message: `Record ${seq} is not the one that ${witness.name} vouches for: the chain was rewritten.`,
});
const cut = (last: number, witness: Witness): Fault => ({
  kind: 'cut',
  seq: last + 1,
  message: `The end is cut off: the last record is ${last}, but ${witness.name} vouches for record ${witness.seq}.`,
});
