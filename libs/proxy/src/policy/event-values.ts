import { atOnce } from '@app/platform';
import { maskJson, type Findings } from '@app/policy';
import { textsOf, toldThought } from '../thoughts/signed-thought';
import type { Inspecting } from './inspecting';
import { API_KEYS, isJsonText, SEALED, STRUCTURAL_WORDS } from './structural-words';

export type Json = Record<string, unknown>;

export const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Masks texts of events that are whole in their event, in place. */
export class EventValues {
  constructor(
    private readonly inspecting: Inspecting,
    private readonly findings: Findings,
  ) {}

  /** All strings of an object but those under some of its own keys. */
  mask(object: Json, except: readonly string[] = []): void {
    const { scanner, seal, wire } = this.inspecting;
    const thought = seal && toldThought(object, wire);
    for (const key of Object.keys(object)) {
      if (except.includes(key)) continue;
      const value = object[key];
      const masked = this.value(value, key, object);
      const name = API_KEYS.has(key) ? key : scanner.mask(key, this.findings);
      if (name !== key) delete object[key];
      if (name !== key || masked !== value) put(object, name, masked);
    }
    if (thought) object[thought.key] = seal(thought, textsOf(object));
  }

  private value(value: unknown, key: string, object: Json): unknown {
    if (typeof value === 'string') return this.text(value, key, object);
    if (typeof value === 'number') return this.number(value);
    if (Array.isArray(value)) {
      if (key === 'logprobs') return [];
      value.forEach((one, i) => {
        value[i] = this.value(one, key, object);
      });
    } else if (isJson(value)) {
      if (key === 'logprobs') return null;
      this.mask(value);
    }
    return value;
  }

  private text(text: string, key: string, object: Json): string {
    const { scanner } = this.inspecting;
    const type = textOf(object['type']);
    if (STRUCTURAL_WORDS.get(key)?.has(text) || SEALED.get(key)?.has(type)) return text;
    const isJson = key === 'arguments' || (this.inspecting.isJson && isJsonText(key, type, textOf(object['role'])));
    return isJson ? atOnce(maskJson(text, scanner, this.findings)) : scanner.mask(text, this.findings);
  }

  private number(value: number): unknown {
    if (!Number.isInteger(value) || value < 1e6) return value;
    const written = String(value);
    const masked = this.inspecting.scanner.mask(written, this.findings);
    return masked === written ? value : masked;
  }
}

/** Assigning to `__proto__` would be something else. */
function put(object: Json, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}
