import { FileFaults, placeOf } from './rate-file';

/** A JSON number by its own digits: a float would not give back what was written. */
export class Digits {
  constructor(readonly text: string) {}
}

export type ExactJson = string | boolean | null | Digits | readonly ExactJson[] | ExactObject;
/** Members in their order; a map, so that no member can be mistaken for something inherited. */
export type ExactObject = ReadonlyMap<string, ExactJson>;

const SPACE = /[ \t\r\n]*/y;
const STRING = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;
const WORDS: Readonly<Record<string, boolean | null>> = { true: true, false: false, null: null };
const MAX_DEPTH = 32;

/**
 * Reads JSON (RFC 8259) with numbers kept as written. A member that comes twice is refused, since one of the two would be
 * dropped without a word.
 * @throws RateFileError
 */
export function readExactJson(text: string): ExactJson {
  return new Reader(text).document();
}

class Reader {
  #at = 0;
  readonly #faults = new FileFaults();

  constructor(private readonly text: string) {}

  document(): ExactJson {
    if (this.text.startsWith('\ufeff')) this.#at = 1;
    const value = this.value(0);
    if (this.#at < this.text.length) this.unexpected();
    this.#faults.refuse();
    return value;
  }

  private value(depth: number): ExactJson {
    if (depth > MAX_DEPTH) this.fail(`is nested more than ${MAX_DEPTH} levels deep`);
    this.take(SPACE);
    const value = this.bare(depth);
    this.take(SPACE);
    return value;
  }

  private bare(depth: number): ExactJson {
    if (this.skip('{')) return this.object(depth);
    if (this.skip('[')) return this.array(depth);
    const string = this.take(STRING);
    if (string !== undefined) return JSON.parse(string) as string;
    const digits = this.take(NUMBER);
    if (digits !== undefined) return new Digits(digits);
    const word = this.take(WORD);
    if (word !== undefined) return WORDS[word] as boolean | null;
    return this.unexpected();
  }

  private object(depth: number): ExactObject {
    const members = new Map<string, ExactJson>();
    this.take(SPACE);
    if (this.skip('}')) return members;
    do {
      this.take(SPACE);
      const start = this.#at;
      const quoted = this.take(STRING);
      if (quoted === undefined) return this.unexpected();
      const name = JSON.parse(quoted) as string;
      if (members.has(name)) this.#faults.add(`"${name}" comes a second time`, () => placeOf(this.text, start));
      this.take(SPACE);
      if (!this.skip(':')) this.unexpected();
      members.set(name, this.value(depth + 1));
    } while (this.skip(','));
    if (!this.skip('}')) this.unexpected();
    return members;
  }

  private array(depth: number): readonly ExactJson[] {
    const items: ExactJson[] = [];
    this.take(SPACE);
    if (this.skip(']')) return items;
    do items.push(this.value(depth + 1));
    while (this.skip(','));
    if (!this.skip(']')) this.unexpected();
    return items;
  }

  private skip(character: string): boolean {
    if (this.text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  private take(shape: RegExp): string | undefined {
    shape.lastIndex = this.#at;
    const taken = shape.exec(this.text)?.[0];
    if (taken !== undefined) this.#at += taken.length;
    return taken;
  }

  private unexpected(): never {
    const character = this.text[this.#at];
    return this.fail(
      character === undefined ? 'the JSON ends too early' : `${JSON.stringify(character)} is not JSON here`,
    );
  }

  /** Nothing can be said of what follows. */
  private fail(problem: string): never {
    this.#faults.add(problem, () => placeOf(this.text, this.#at));
    throw this.#faults.error;
  }
}
