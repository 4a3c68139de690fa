import { inspect } from 'node:util';

const MASK = '[secret]';

/**
 * A value that must not be printed. Every way of turning it into text gives a mask, so a log line or an error that
 * carries one by accident carries nothing. Only `reveal()` gives the value, and is easy to search for.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  [inspect.custom](): string {
    return MASK;
  }
}

/** Keys of the gateway and of well-known providers, wherever they stand in a text. */
const KEY_SHAPES =
  /\b(?:tk_[a-z0-9][a-z0-9_-]{0,31}|ak_[a-z0-9][a-z0-9_-]{0,31})_[0-9a-f]{32}\b|\bsk-[A-Za-z0-9_-]{16,}/g;

/** Masks what looks like a key in text we did not write: a provider's error message, a driver's connection string. */
export const maskKeys = (text: string): string =>
  text.replace(KEY_SHAPES, MASK).replace(/(\/\/[^:/@\s]*:)[^@\s]+@/g, `$1${MASK}@`);
