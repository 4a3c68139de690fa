import type { Steps } from '@app/platform';
import { maskJson, maskText, type Findings, type Scanner } from '@app/policy';
import { splice, type Splice } from '../scan/request-edit';
import { API_KEYS } from './structural-words';

/** Shorter numbers are no number of anybody's. */
const LEAST_DIGITS = 7;
const DIGITS = /^\d+$/;

/** Gathers masks for the texts of one body, and splices them in at the end: everything else stays byte for byte. */
export class BodyMasks {
  readonly #splices: Splice[] = [];
  /** Keys come again and again. */
  readonly #cleanKeys = new Set<string>();

  constructor(
    readonly body: Buffer,
    readonly scanner: Scanner,
    readonly findings: Findings,
  ) {}

  *key(start: number, end: number, key: string): Steps<void> {
    if (API_KEYS.has(key) || this.#cleanKeys.has(key)) return;
    if (!(yield* this.text(start, end, key))) this.#cleanKeys.add(key);
  }

  /** Whether something is masked in the text of a string. */
  *text(start: number, end: number, text: string): Steps<boolean> {
    return this.put(start, end, text, yield* maskText(text, this.scanner, this.findings));
  }

  /** The same for a text that is JSON. */
  *json(start: number, end: number, text: string): Steps<boolean> {
    return this.put(start, end, text, yield* maskJson(text, this.scanner, this.findings));
  }

  /** A mask that stands for a number is a string. */
  *number(start: number, end: number): Steps<void> {
    if (end - start < LEAST_DIGITS) return;
    const written = this.body.toString('latin1', start, end);
    if (DIGITS.test(written)) yield* this.text(start, end, written);
  }

  /** @param raw JSON text */
  replace(start: number, end: number, raw: string): void {
    this.#splices.push({ start, end, text: raw });
  }

  /** The body with all masks; itself where there is none. */
  applied(): Buffer {
    return splice(this.body, this.#splices);
  }

  private put(start: number, end: number, text: string, masked: string): boolean {
    if (masked === text) return false;
    this.replace(start, end, JSON.stringify(masked));
    return true;
  }
}
