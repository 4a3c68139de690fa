import { isUtf8 } from 'node:buffer';
import { Grammar, type ScanProblem, type ScanReason, Skipper, skipSpace, type Stepper } from './json-steps';
import type { KeySet } from './key-set';

export { MAX_DEPTH, type ScanProblem, type ScanReason } from './json-steps';

/** One wanted member of an object. Offsets are bytes in the scanned buffer; an end is the offset just past the last byte. */
export interface Member {
  readonly key: string;
  /** Place among all members of its object, wanted or not. */
  readonly index: number;
  /** Just past the comma (or the opening brace) before the member. */
  readonly from: number;
  readonly valueStart: number;
  readonly valueEnd: number;
  /** The comma (or the closing brace) after the member. */
  readonly to: number;
}

/** The wanted members of an object, in their order. They are few: to look through them is cheaper than a map is to make. */
export class Members implements Iterable<Member> {
  constructor(private readonly all: readonly Member[]) {}

  get(key: string): Member | undefined {
    for (const member of this.all) if (member.key === key) return member;
    return undefined;
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  [Symbol.iterator](): Iterator<Member> {
    return this.all[Symbol.iterator]();
  }
}

/** What a scan keeps of an object: where it stands, how many members it has, and the wanted ones. */
export interface JsonObject {
  readonly open: number;
  readonly close: number;
  readonly count: number;
  readonly members: Members;
}

export type ScanResult =
  { readonly ok: true; readonly object: JsonObject } | { readonly ok: false; readonly problem: ScanProblem };

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const SMALL_F = 0x66;
const SMALL_N = 0x6e;
const SMALL_T = 0x74;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Walks a request body once and returns where the wanted top-level members stand, without parsing the rest into values.
 *
 * It accepts what `JSON.parse` accepts, with four exceptions: the top must be an object, its bytes must be UTF-8,
 * nesting is limited, and a wanted key must come once and in its own spelling. A key that comes twice, or also as
 * `Model` or `mod\u0065l`, would let gateway and provider read different requests: parsers disagree on which of two
 * wins, and Go's (some inference servers) does not care about case.
 */
export function scanObject(body: Buffer, wanted: KeySet): ScanResult {
  const start = skipSpace(body, 0);
  if (start === body.length) return refuse('empty', start);
  if (!isUtf8(body)) return refuse('invalid_utf8', firstBadByte(body));
  const grammar = new Grammar(body);
  if (body[start] !== OPEN_OBJECT) {
    const end = grammar.value(start);
    return end < 0 ? { ok: false, problem: grammar.problem } : refuse('not_an_object', start);
  }
  const result = readMembers(body, start, wanted, grammar);
  if (!result.ok) return result;
  const end = skipSpace(body, result.object.close + 1);
  return end === body.length ? result : refuse('trailing_garbage', end);
}

/** The wanted members of an object inside a body that {@link scanObject} has taken; `open` is the offset of its brace. */
export function membersAt(body: Buffer, open: number, wanted: KeySet): ScanResult {
  return readMembers(body, open, wanted, new Skipper(body));
}

/**
 * Calls `visit` with the offset of each element of an array inside a body that {@link scanObject} has taken. A visitor
 * that has walked the element returns the offset past it, so that it is not walked again.
 */
export function eachElement(body: Buffer, open: number, visit: (start: number) => number | undefined): void {
  const skipper = new Skipper(body);
  let at = skipSpace(body, open + 1);
  while (body[at] !== CLOSE_ARRAY) {
    at = skipSpace(body, visit(at) ?? skipper.value(at));
    if (body[at] === COMMA) at = skipSpace(body, at + 1);
  }
}

/** The kind of the value that starts here, in a body that has been scanned. */
export function kindAt(body: Buffer, start: number): 'object' | 'array' | 'string' | 'scalar' {
  const first = body[start];
  if (first === OPEN_OBJECT) return 'object';
  if (first === OPEN_ARRAY) return 'array';
  return first === QUOTE ? 'string' : 'scalar';
}

/** The value of a member, in a body that has been scanned. What most members hold, a word or a number, needs no parser. */
export function valueOf(body: Buffer, { valueStart, valueEnd }: Pick<Member, 'valueStart' | 'valueEnd'>): unknown {
  switch (body[valueStart]) {
    case SMALL_T:
      return true;
    case SMALL_F:
      return false;
    case SMALL_N:
      return null;
    case QUOTE: {
      const text = body.toString('utf8', valueStart + 1, valueEnd - 1);
      if (!text.includes('\\')) return text;
    }
  }
  return JSON.parse(body.toString('utf8', valueStart, valueEnd)) as unknown;
}

function readMembers(body: Buffer, open: number, wanted: KeySet, step: Stepper): ScanResult {
  const found: Member[] = [];
  const members = new Members(found);
  let count = 0;
  let from = open + 1;
  let at = skipSpace(body, from);
  if (body[at] === CLOSE_OBJECT) return { ok: true, object: { open, close: at, count, members } };
  for (;;) {
    const keyStart = at;
    at = step.string(at);
    if (at < 0) return { ok: false, problem: step.problem };
    const key = wanted.find(body, keyStart + 1, at - 1);
    at = skipSpace(body, at);
    if (body[at] !== COLON) return refuse('malformed', at);
    const valueStart = skipSpace(body, at + 1);
    const valueEnd = step.value(valueStart);
    if (valueEnd < 0) return { ok: false, problem: step.problem };
    const to = skipSpace(body, valueEnd);
    if (key) {
      const { name, folded } = key;
      if (folded) return refuse('ambiguous_key', keyStart, name);
      if (members.has(name)) return refuse('duplicate_key', keyStart, name);
      found.push({ key: name, index: count, from, valueStart, valueEnd, to });
    }
    count += 1;
    if (body[to] === CLOSE_OBJECT) return { ok: true, object: { open, close: to, count, members } };
    if (body[to] !== COMMA) return refuse('malformed', to);
    from = to + 1;
    at = skipSpace(body, from);
  }
}

/** Decoding replaces what is not UTF-8, so the first byte that differs is in, or just past, the first bad sequence. */
function firstBadByte(body: Buffer): number {
  const replaced = Buffer.from(body.toString('utf8'), 'utf8');
  let i = 0;
  while (i < body.length && body[i] === replaced[i]) i += 1;
  return i;
}

function refuse(reason: ScanReason, offset: number, key?: string): ScanResult {
  return { ok: false, problem: key === undefined ? { reason, offset } : { reason, offset, key } };
}
