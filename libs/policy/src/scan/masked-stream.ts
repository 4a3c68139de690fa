import type { Steps } from '@app/platform';
import type { Findings } from './findings';
import { maskOf, type Scanner } from './scanner';
import { TextStream, type TextSink } from './text-stream';

/** A text that arrives in pieces and leaves with masks, each piece as soon as nothing in it can still become a match. */
export interface MaskedStream {
  push(text: string): string;
  /** The rest, when the text is over. */
  end(): string;
}

export class MaskedText implements MaskedStream, TextSink {
  readonly #stream: TextStream;
  #waiting = '';
  #out = '';

  constructor(scanner: Scanner, findings: Findings) {
    this.#stream = new TextStream(scanner, findings, this);
  }

  push(text: string): string {
    this.#waiting += text;
    this.#stream.push(text);
    return this.taken();
  }

  end(): string {
    this.#stream.end();
    this.#waiting = '';
    return this.taken();
  }

  keep(units: number): void {
    this.#out += this.#waiting.slice(0, units);
    this.#waiting = this.#waiting.slice(units);
  }

  mask(units: number, label: string): void {
    this.#out += maskOf(label);
    this.#waiting = this.#waiting.slice(units);
  }

  private taken(): string {
    const out = this.#out;
    this.#out = '';
    return out;
  }
}

const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/**
 * The same for a text that is JSON, and stays JSON: each string is searched by itself with its escapes resolved, and so is what
 * stands between strings, where a mask is a string of its own.
 */
export class MaskedJson implements MaskedStream, TextSink {
  readonly #stream: TextStream;
  /** What waits, as it is written, in the units that the search sees: an escape is one. */
  #units: string[] = [];
  #taken = 0;
  #isInString = false;
  /** An escape that is not whole. */
  #escape = '';
  #out = '';

  constructor(scanner: Scanner, findings: Findings) {
    this.#stream = new TextStream(scanner, findings, this);
  }

  push(json: string): string {
    let seen = '';
    for (const unit of json.split('')) {
      if (this.#escape !== '' || (this.#isInString && unit === '\\')) seen += this.escaped(unit);
      else if (unit === '"') {
        this.over(seen);
        seen = '';
        this.#isInString = !this.#isInString;
        this.#out += unit;
      } else {
        this.#units.push(unit);
        seen += unit;
      }
    }
    if (seen !== '') this.#stream.push(seen);
    return this.taken();
  }

  end(): string {
    // An escape that was cut off is nothing that could be read.
    this.over('');
    this.#out += this.#escape;
    this.#escape = '';
    this.#isInString = false;
    return this.taken();
  }

  keep(units: number): void {
    for (let i = 0; i < units; i++) this.#out += this.#units[this.#taken + i];
    this.#taken += units;
  }

  mask(units: number, label: string): void {
    const text = maskOf(label);
    this.#out += this.#isInString ? text : JSON.stringify(text);
    this.#taken += units;
  }

  /** What the escape says once it is whole. */
  private escaped(unit: string): string {
    this.#escape += unit;
    const written = this.#escape;
    if (written.length < (written[1] === 'u' ? 6 : 2)) return '';
    this.#escape = '';
    this.#units.push(written);
    if (written[1] !== 'u') return ESCAPES[written[1] as string] ?? (written[1] as string);
    const code = Number.parseInt(written.slice(2), 16);
    return String.fromCharCode(Number.isNaN(code) ? 0xfffd : code);
  }

  private over(seen: string): void {
    if (seen !== '') this.#stream.push(seen);
    this.#stream.end();
  }

  private taken(): string {
    if (this.#taken === this.#units.length) this.#units = [];
    else this.#units = this.#units.slice(this.#taken);
    this.#taken = 0;
    const out = this.#out;
    this.#out = '';
    return out;
  }
}

/** What is searched in one step, in UTF-16 units. */
const PIECE = 16_384;

/** A whole text with masks, in as many steps as it is long. */
export function* maskText(text: string, scanner: Scanner, findings: Findings): Steps<string> {
  if (text.length <= PIECE) return scanner.mask(text, findings);
  return yield* masked(text, new MaskedText(scanner, findings));
}

/** The same of a text that is JSON. */
export function maskJson(json: string, scanner: Scanner, findings: Findings): Steps<string> {
  return masked(json, new MaskedJson(scanner, findings));
}

function* masked(text: string, stream: MaskedStream): Steps<string> {
  let told = '';
  for (let at = 0; at < text.length; at += PIECE) {
    if (at > 0) yield;
    told += stream.push(text.slice(at, at + PIECE));
  }
  return told + stream.end();
}
