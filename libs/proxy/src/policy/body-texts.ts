import type { Steps } from '@app/platform';
import { Skipper, skipSpace } from '../scan/json-steps';
import { kindAt, valueOf } from '../scan/request-scan';
import { Siblings, type SiblingName } from './siblings';
import { SEALED } from './structural-words';

/** Where a value stands in a body: keys and indexes from the outside in. */
export type Place = readonly (string | number)[];

/** Meets every text of a body. Offsets are bytes, the end exclusive; of a string they include the quotes. */
export interface TextVisitor {
  /** Returns false where the value is not to be looked at; it is then `skipped`. */
  key(start: number, end: number, key: string): Steps<boolean>;
  skipped?(start: number, end: number): void;
  /** @param key under which it stands, itself or in a list; @param object where the object opens of which it is a member, or -1 */
  string(start: number, end: number, key: string, object: number): Steps<void>;
  /** As it is written. */
  number(start: number, end: number): Steps<void>;
  /** An object, before and after what is in it. */
  opened?(open: number): void;
  closed?(open: number): void;
}

/** Steps down to a member of a block in a document in the result of a tool: nothing that a provider sealed or wants as bytes lies deeper. */
const DEEPEST_BLOCK = 12;
/** What is shown in one step: bytes, and for each text as many as looking at one takes the time of. */
const STEP_BYTES = 32_768;
const TEXT_BYTES = 64;
const COMMA = 0x2c;
const NINE = 0x39;
const CLOSE_ARRAY = 0x5d;
const CLOSE_OBJECT = 0x7d;

/** Walks a body that `scanObject` has taken, and shows each key, string and number of it, whatever the API makes of it. */
export class BodyTexts {
  /** Of what is being shown; of a key that of its object. */
  readonly place: (string | number)[] = [];
  readonly #skipper: Skipper;
  readonly #siblings: Siblings;
  #left = STEP_BYTES;

  constructor(
    private readonly body: Buffer,
    private readonly visitor: TextVisitor,
  ) {
    this.#skipper = new Skipper(body);
    this.#siblings = new Siblings(body);
  }

  *walk(): Steps<void> {
    yield* this.value(skipSpace(this.body, 0), '', -1);
  }

  /** What an object that is being shown says of itself; undefined where that is no string, or the object lies deeper than any block. */
  beside(object: number, name: SiblingName): string | undefined {
    return this.place.length > DEEPEST_BLOCK ? undefined : this.#siblings.text(object, name);
  }

  /** Whether a text is one that a provider wrote for itself alone. */
  isSealed(object: number, key: string): boolean {
    const types = SEALED.get(key);
    const type = types && this.beside(object, 'type');
    return type !== undefined && (types as ReadonlySet<string>).has(type);
  }

  /** Returns the offset past the value. Recursion ends with the nesting that the scan allows. */
  private *value(at: number, key: string, object: number): Steps<number> {
    switch (kindAt(this.body, at)) {
      case 'object':
        return yield* this.object(at);
      case 'array':
        return yield* this.array(at, key);
      case 'string': {
        const end = this.#skipper.string(at);
        yield* this.shown(end - at, this.visitor.string(at, end, key, object));
        return end;
      }
      case 'scalar': {
        const end = this.#skipper.value(at);
        if ((this.body[at] as number) <= NINE) yield* this.shown(end - at, this.visitor.number(at, end));
        return end;
      }
    }
  }

  private *object(open: number): Steps<number> {
    const { body } = this;
    this.visitor.opened?.(open);
    let at = skipSpace(body, open + 1);
    while (body[at] !== CLOSE_OBJECT) {
      const end = this.#skipper.string(at);
      const key = textAt(body, at, end);
      const isShown = yield* this.shown(end - at, this.visitor.key(at, end, key));
      at = skipSpace(body, skipSpace(body, end) + 1);
      at = skipSpace(body, isShown ? yield* this.member(at, key, open) : this.skip(at));
      if (body[at] === COMMA) at = skipSpace(body, at + 1);
      else if (body[at] !== CLOSE_OBJECT) throw new RangeError('not the JSON that was scanned');
    }
    this.visitor.closed?.(open);
    this.#siblings.forget(open);
    return at + 1;
  }

  private *member(at: number, key: string, object: number): Steps<number> {
    this.place.push(key);
    const end = yield* this.value(at, key, object);
    this.place.pop();
    return end;
  }

  /** Ends a step where enough was shown. */
  private *shown<T>(bytes: number, looking: Steps<T>): Steps<T> {
    this.#left -= bytes + TEXT_BYTES;
    if (this.#left < 0) {
      this.#left = STEP_BYTES;
      yield;
    }
    return yield* looking;
  }

  private skip(at: number): number {
    const end = this.#skipper.value(at);
    this.visitor.skipped?.(at, end);
    return end;
  }

  private *array(open: number, key: string): Steps<number> {
    const { body, place } = this;
    let at = skipSpace(body, open + 1);
    for (let i = 0; body[at] !== CLOSE_ARRAY; i++) {
      place.push(i);
      at = skipSpace(body, yield* this.value(at, key, -1));
      place.pop();
      if (body[at] === COMMA) at = skipSpace(body, at + 1);
      else if (body[at] !== CLOSE_ARRAY) throw new RangeError('not the JSON that was scanned');
    }
    return at + 1;
  }
}

/** The text of a string, its escapes resolved. */
export const textAt = (body: Buffer, start: number, end: number): string =>
  valueOf(body, { valueStart: start, valueEnd: end }) as string;
