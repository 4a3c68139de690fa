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

/**
 * Keys of the gateway and of well-known providers, wherever they stand in a text, also right behind an escape of JSON (`\n`)
 * or of a URL (`%3D`). What stands before `sk-` is looked at last: looked at first, every character of a log line pays for it.
 */
const KEY_SHAPES =
  /[ta]k_[a-z0-9][a-z0-9_-]{0,31}_[0-9a-f]{32}|sk-(?<=(?:^|[^A-Za-z0-9]|\\[bfnrt]|%[0-9A-Fa-f]{2})sk-)[A-Za-z0-9_-]{16,}/g;

/** Up to the last `@`, since passwords may hold one; never past a quote, so that masked JSON stays JSON. */
const URL_PASSWORD = /(\/\/[^:/@\s"]*:)[^\s"]+@/g;

/** Masks what looks like a key in text we did not write: a provider's error message, a driver's connection string. */
export const maskKeys = (text: string): string => text.replace(KEY_SHAPES, MASK).replace(URL_PASSWORD, `$1${MASK}@`);
