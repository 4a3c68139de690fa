import { isUtf8 } from 'node:buffer';

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

/** What a scan keeps of an object: where it stands, how many members it has, and the wanted ones. */
export interface JsonObject {
  readonly open: number;
  readonly close: number;
  readonly count: number;
  readonly members: ReadonlyMap<string, Member>;
}

export type ScanReason =
  | 'empty'
  | 'not_an_object'
  | 'malformed'
  | 'invalid_utf8'
  | 'duplicate_key'
  | 'ambiguous_key'
  | 'too_deep'
  | 'trailing_garbage';

/** Why a body was not taken, and at which byte (0-based). `key` names the member where one is at fault. */
export interface ScanProblem {
  readonly reason: ScanReason;
  readonly offset: number;
  readonly key?: string;
}

export type ScanResult =
  { readonly ok: true; readonly object: JsonObject } | { readonly ok: false; readonly problem: ScanProblem };

/** Containers inside one top-level member. Real requests stay below 30; `JSON.parse` has no such limit. */
export const MAX_DEPTH = 256;

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const SMALL_U = 0x75;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

const tableOf = (characters: string): Uint8Array => {
  const table = new Uint8Array(256);
  for (const character of characters) table[character.charCodeAt(0)] = 1;
  return table;
};

/** Bytes that may stand in a string as they are. Those of 0x80 and above too: the whole body was found to be UTF-8. */
const PLAIN = new Uint8Array(256).fill(1, 0x20);
PLAIN[QUOTE] = PLAIN[BACKSLASH] = 0;
const ESCAPED = tableOf('"\\/bfnrt');
const HEX = tableOf('0123456789abcdefABCDEF');
const LITERALS = [Buffer.from('true'), Buffer.from('false'), Buffer.from('null')];

/** Longest spelling of a key worth decoding: six bytes for each character of the longest wanted key, and some. */
const LONGEST_KEY_BYTES = 256;

/**
 * Walks a request body once and returns where the wanted top-level members stand, without parsing the rest into values.
 *
 * It accepts what `JSON.parse` accepts, with four exceptions: the top must be an object, its bytes must be UTF-8,
 * nesting is limited, and a wanted key must come once and in its own spelling. A key that comes twice, or also as
 * `Model` or `mod\u0065l`, would let gateway and provider read different requests: parsers disagree on which of two
 * wins, and Go's (some inference servers) does not care about case.
 */
export function scanObject(body: Buffer, wanted: ReadonlySet<string>): ScanResult {
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
export function membersAt(body: Buffer, open: number, wanted: ReadonlySet<string>): ScanResult {
  return readMembers(body, open, wanted, new Skipper(body));
}

/** Calls `visit` with the offset of each element of an array inside a body that {@link scanObject} has taken. */
export function eachElement(body: Buffer, open: number, visit: (start: number) => void): void {
  const skipper = new Skipper(body);
  let at = skipSpace(body, open + 1);
  while (body[at] !== CLOSE_ARRAY) {
    visit(at);
    at = skipSpace(body, skipper.value(at));
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

/** Steps over strings and values: {@link Grammar} checks them, {@link Skipper} trusts an earlier check. */
interface Stepper {
  readonly problem: ScanProblem;
  /** Offset past the string that starts here, or -1 with `problem` set. */
  string(at: number): number;
  /** Offset past the value that starts here, or -1 with `problem` set. */
  value(at: number): number;
}

function readMembers(body: Buffer, open: number, wanted: ReadonlySet<string>, step: Stepper): ScanResult {
  const members = new Map<string, Member>();
  let count = 0;
  let from = open + 1;
  let at = skipSpace(body, from);
  if (body[at] === CLOSE_OBJECT) return { ok: true, object: { open, close: at, count, members } };
  for (;;) {
    const keyStart = at;
    at = step.string(at);
    if (at < 0) return { ok: false, problem: step.problem };
    const key = decodeKey(body, keyStart, at);
    at = skipSpace(body, at);
    if (body[at] !== COLON) return refuse('malformed', at);
    const valueStart = skipSpace(body, at + 1);
    const valueEnd = step.value(valueStart);
    if (valueEnd < 0) return { ok: false, problem: step.problem };
    const to = skipSpace(body, valueEnd);
    if (wanted.has(key)) {
      if (members.has(key)) return refuse('duplicate_key', keyStart, key);
      members.set(key, { key, index: count, from, valueStart, valueEnd, to });
    } else if (FOREIGN_SPELLING.test(key) && wanted.has(fold(key))) {
      return refuse('ambiguous_key', keyStart, key);
    }
    count += 1;
    if (body[to] === CLOSE_OBJECT) return { ok: true, object: { open, close: to, count, members } };
    if (body[to] !== COMMA) return refuse('malformed', to);
    from = to + 1;
    at = skipSpace(body, from);
  }
}

/** Checks the whole JSON grammar (RFC 8259) without recursion, so that depth costs no stack. */
class Grammar implements Stepper {
  problem: ScanProblem = { reason: 'malformed', offset: 0 };

  constructor(private readonly body: Buffer) {}

  string(at: number): number {
    const body = this.body;
    const length = body.length;
    if (body[at] !== QUOTE) return this.fail('malformed', at);
    let i = at + 1;
    for (;;) {
      while (i < length && PLAIN[body[i]!] === 1) i += 1;
      if (body[i] === QUOTE) return i + 1;
      if (body[i] !== BACKSLASH) return this.fail('malformed', i);
      const escape = body[i + 1];
      if (escape === SMALL_U) {
        for (let digit = i + 2; digit < i + 6; digit += 1) {
          if (HEX[body[digit] ?? 0] !== 1) return this.fail('malformed', digit);
        }
        i += 6;
      } else {
        if (ESCAPED[escape ?? 0] !== 1) return this.fail('malformed', i + 1);
        i += 2;
      }
    }
  }

  value(at: number): number {
    const body = this.body;
    let depth = 0;
    let i = at;
    for (;;) {
      const first = body[i];
      if (first === QUOTE) i = this.string(i);
      else if (first === OPEN_OBJECT || first === OPEN_ARRAY) {
        if (depth === MAX_DEPTH) return this.fail('too_deep', i);
        i = skipSpace(body, i + 1);
        if (body[i] === closing(first)) i += 1;
        else {
          OPENED[depth] = first;
          depth += 1;
          if (first === OPEN_OBJECT) i = this.key(i);
          if (i < 0) return -1;
          continue;
        }
      } else i = this.scalar(i);
      if (i < 0) return -1;

      // A value has ended: leave every container that ends with it, then go on behind the comma.
      for (;;) {
        if (depth === 0) return i;
        const opened = OPENED[depth - 1]!;
        i = skipSpace(body, i);
        if (body[i] === closing(opened)) {
          depth -= 1;
          i += 1;
          continue;
        }
        if (body[i] !== COMMA) return this.fail('malformed', i);
        i = skipSpace(body, i + 1);
        if (opened === OPEN_OBJECT) i = this.key(i);
        if (i < 0) return -1;
        break;
      }
    }
  }

  /** Steps over a key and its colon; returns where the value starts. */
  private key(at: number): number {
    const end = this.string(at);
    if (end < 0) return -1;
    const colon = skipSpace(this.body, end);
    return this.body[colon] === COLON ? skipSpace(this.body, colon + 1) : this.fail('malformed', colon);
  }

  private scalar(at: number): number {
    const first = this.body[at];
    if (first === MINUS || isDigit(first)) return this.number(at);
    for (const literal of LITERALS) {
      if (first !== literal[0]) continue;
      for (let i = 1; i < literal.length; i += 1) {
        if (this.body[at + i] !== literal[i]) return this.fail('malformed', at + i);
      }
      return at + literal.length;
    }
    return this.fail('malformed', at);
  }

  private number(at: number): number {
    const body = this.body;
    let i = body[at] === MINUS ? at + 1 : at;
    if (body[i] === ZERO) i += 1;
    else i = this.digits(i);
    if (i >= 0 && body[i] === DOT) i = this.digits(i + 1);
    if (i >= 0 && (body[i] === 0x65 || body[i] === 0x45)) {
      const sign = body[i + 1];
      i = this.digits(sign === MINUS || sign === 0x2b ? i + 2 : i + 1);
    }
    return i;
  }

  private digits(at: number): number {
    let i = at;
    while (isDigit(this.body[i])) i += 1;
    return i > at ? i : this.fail('malformed', at);
  }

  private fail(reason: ScanReason, offset: number): -1 {
    this.problem = { reason, offset: Math.min(offset, this.body.length) };
    return -1;
  }
}

/** Steps over text that {@link Grammar} has checked; long strings are crossed with a native search. */
class Skipper implements Stepper {
  readonly problem: ScanProblem = { reason: 'malformed', offset: 0 };

  constructor(private readonly body: Buffer) {}

  string(at: number): number {
    const body = this.body;
    let i = at + 1;
    let searchFrom = i + 32;
    for (;;) {
      const byte = body[i];
      if (byte === QUOTE) return i + 1;
      if (byte === BACKSLASH) {
        i += 2;
        searchFrom = i + 32;
      } else if (i < searchFrom) i += 1;
      else {
        const quote = body.indexOf(QUOTE, i);
        let run = quote;
        while (run > i && body[run - 1] === BACKSLASH) run -= 1;
        if ((quote - run) % 2 === 0) return quote + 1;
        i = quote + 1;
        searchFrom = i + 32;
      }
    }
  }

  value(at: number): number {
    const body = this.body;
    let depth = 0;
    let i = at;
    for (;;) {
      const byte = body[i];
      if (byte === QUOTE) i = this.string(i);
      else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
        depth += 1;
        i += 1;
      } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
        // In a list of scalars the bracket of the container around this value ends the value.
        if (depth === 0) return i;
        depth -= 1;
        i += 1;
      } else if (depth === 0 && (byte === COMMA || isSpace(byte))) return i;
      else i += 1;
      if (depth === 0 && (byte === QUOTE || byte === CLOSE_OBJECT || byte === CLOSE_ARRAY)) return i;
    }
  }
}

/** Which bracket opened each level of the value being checked. Shared: a check never waits and never nests. */
const OPENED = new Uint8Array(MAX_DEPTH);

const closing = (opened: number): number => (opened === OPEN_OBJECT ? CLOSE_OBJECT : CLOSE_ARRAY);
const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= ZERO && byte <= NINE;
const isSpace = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** The first offset at or after `at` that holds no JSON white space. */
export function skipSpace(body: Buffer, at: number): number {
  let i = at;
  while (isSpace(body[i])) i += 1;
  return i;
}

const FOREIGN_SPELLING = /[^a-z0-9_]/;

/** Folds case as Go does, where the long s and the Kelvin sign are an s and a k. */
const fold = (key: string): string => key.toUpperCase().toLowerCase();

function decodeKey(body: Buffer, quote: number, end: number): string {
  if (end - quote > LONGEST_KEY_BYTES) return '';
  const raw = body.toString('utf8', quote + 1, end - 1);
  return raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw;
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
