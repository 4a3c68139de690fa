import { atOnce, type Steps } from '@app/platform';
import { Findings } from '@app/policy';
import { Skipper } from '../scan/json-steps';
import { KeySet } from '../scan/key-set';
import { scanObject } from '../scan/request-scan';
import { toldThought } from '../thoughts/signed-thought';
import { BodyMasks } from './body-masks';
import { BodyTexts, textAt, type TextVisitor } from './body-texts';
import type { Inspecting } from './inspecting';
import { isJsonText, STRUCTURAL_WORDS } from './structural-words';

const NO_KEYS = new KeySet([]);

/**
 * The body of a whole answer with masks, spliced in; `body` itself where there is none, null where it is not JSON. Logprobs repeat the
 * text piece by piece, so they are left out.
 */
export function inspectAnswer(body: Buffer, inspecting: Inspecting, findings: Findings): Buffer | null {
  if (!scanObject(body, NO_KEYS).ok) return null;
  const masks = new BodyMasks(body, inspecting.scanner, findings);
  new AnswerInspection(masks, inspecting).walk();
  return masks.applied();
}

class AnswerInspection implements TextVisitor {
  readonly #texts: BodyTexts;

  constructor(
    private readonly masks: BodyMasks,
    private readonly inspecting: Inspecting,
  ) {
    this.#texts = new BodyTexts(masks.body, this);
  }

  walk(): void {
    atOnce(this.#texts.walk());
  }

  *key(start: number, end: number, key: string): Steps<boolean> {
    if (key === 'logprobs') return false;
    yield* this.masks.key(start, end, key);
    return true;
  }

  /** Lists are for lists: an SDK of the responses API looks into them. */
  skipped(start: number, end: number): void {
    this.masks.replace(start, end, this.masks.body[start] === 0x5b ? '[]' : 'null');
  }

  *string(start: number, end: number, key: string, object: number): Steps<void> {
    const { body } = this.masks;
    const text = textAt(body, start, end);
    if (text === '' || STRUCTURAL_WORDS.get(key)?.has(text)) return;
    if (this.#texts.isSealed(object, key)) return this.sealed(start, end, key, object);
    const name = (wanted: 'type' | 'role'): string | undefined => this.#texts.beside(object, wanted);
    if (key === 'arguments' || (this.inspecting.isJson && isJsonText(key, name('type'), name('role'))))
      yield* this.masks.json(start, end, text);
    else yield* this.masks.text(start, end, text);
  }

  number(start: number, end: number): Steps<void> {
    return this.masks.number(start, end);
  }

  /** What masks keep a provider from knowing again is sealed in its signature. */
  private sealed(start: number, end: number, key: string, object: number): void {
    const { body } = this.masks;
    const { wire, scanner, seal } = this.inspecting;
    if (!seal) return;
    const whole = body.toString('utf8', object, new Skipper(body).value(object));
    const thought = toldThought(JSON.parse(whole) as Record<string, unknown>, wire);
    if (thought?.key !== key) return;
    const told = thought.texts.map((text) => scanner.mask(text, new Findings()));
    const signature = seal(thought, told);
    if (signature !== thought.signature) this.masks.replace(start, end, JSON.stringify(signature));
  }
}
