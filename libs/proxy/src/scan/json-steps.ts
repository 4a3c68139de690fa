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

/** A quote this near, in bytes, is found sooner by looking than by what pays for long strings. */
const NEAR = 48;

/**
 * The first word at or after `at` that holds a byte other than a plain one. Four bytes at a time take two fifths of the time, and sixteen, once a string has
 * turned out to be long, a quarter. A byte below 0x21, or the same as a backslash, borrows its highest bit where it is subtracted from; one that
 * has that bit itself is plain. With its second bit turned a quote is below 0x21, as all control characters are, and a space is not. A
 * borrow may reach the next byte too: such a word is looked at byte by byte, that is all.
 */
function pastPlain(words: Int32Array, at: number): number {
  let i = at;
  for (const far = Math.min(at + NEAR / 4, words.length); i < far; i += 1) if (mayBeOdd(words[i]!)) return i;
  for (const last = words.length - 4; i <= last; i += 4) {
    const some = oddIn(words[i]!) | oddIn(words[i + 1]!) | oddIn(words[i + 2]!) | oddIn(words[i + 3]!);
    if ((some & HIGHEST_BITS) !== 0) break;
  }
  while (i < words.length && !mayBeOdd(words[i]!)) i += 1;
  return i;
}
const mayBeOdd = (word: number): boolean => (oddIn(word) & HIGHEST_BITS) !== 0;
const oddIn = (word: number): number =>
  (((word ^ 0x02020202) - 0x21212121) | ((word ^ 0x5c5c5c5c) - 0x01010101)) & ~word;
const HIGHEST_BITS = 0x80808080;

const ESCAPED = tableOf('"\\/bfnrt');
const HEX = tableOf('0123456789abcdefABCDEF');
const LITERALS = [Buffer.from('true'), Buffer.from('false'), Buffer.from('null')];

/** Steps over strings and values: {@link Grammar} checks them, {@link Skipper} trusts an earlier check. */
export interface Stepper {
  readonly problem: ScanProblem;
  /** Offset past the string that starts here, or -1 with `problem` set. */
  string(at: number): number;
  /** Offset past the value that starts here, or -1 with `problem` set. */
  value(at: number): number;
}

/** Checks the whole JSON grammar (RFC 8259) without recursion, so that depth costs no stack. */
export class Grammar implements Stepper {
  problem: ScanProblem = { reason: 'malformed', offset: 0 };
  readonly #words: Int32Array;
  /** How far into its first word the body begins. */
  readonly #shift: number;

  constructor(private readonly body: Buffer) {
    const { buffer, byteOffset, length } = body;
    this.#shift = byteOffset % 4;
    this.#words = new Int32Array(buffer, byteOffset - this.#shift, Math.floor((this.#shift + length) / 4));
  }

  string(at: number): number {
    const body = this.body;
    const length = body.length;
    const words = this.#words;
    const shift = this.#shift;
    if (body[at] !== QUOTE) return this.fail('malformed', at);
    let i = at + 1;
    while (i < length) {
      const byte = body[i]!;
      if (PLAIN[byte] === 1) {
        i += 1;
        if (((i + shift) & 3) === 0) i = pastPlain(words, (i + shift) >> 2) * 4 - shift;
      } else if (byte === QUOTE) return i + 1;
      else if (byte !== BACKSLASH) break;
      else if (ESCAPED[body[i + 1] ?? 0] === 1) i += 2;
      else if (body[i + 1] !== SMALL_U) return this.fail('malformed', i + 1);
      else {
        for (let digit = i + 2; digit < i + 6; digit += 1) {
          if (HEX[body[digit] ?? 0] !== 1) return this.fail('malformed', digit);
        }
        i += 6;
      }
    }
    return this.fail('malformed', i);
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
export class Skipper implements Stepper {
  readonly problem: ScanProblem = { reason: 'malformed', offset: 0 };

  constructor(private readonly body: Buffer) {}

  string(at: number): number {
    const body = this.body;
    let i = at + 1;
    const stop = i + NEAR;
    while (i < stop && PLAIN[body[i]!] === 1) i += 1;
    if (body[i] === QUOTE) return i + 1;
    for (;;) {
      // A quote behind an odd number of backslashes belongs to the text. None of them lies before `i`.
      const quote = body.indexOf(QUOTE, i);
      let run = quote;
      while (run > i && body[run - 1] === BACKSLASH) run -= 1;
      i = quote + 1;
      if ((quote - run) % 2 === 0) return i;
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
