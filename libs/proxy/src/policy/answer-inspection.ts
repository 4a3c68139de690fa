import type { Findings, Scanner } from '@app/policy';
import { KeySet } from '../key-set';
import { scanObject } from '../request-scan';
import { BodyMasks } from './body-masks';
import { BodyTexts, isSealed, memberText, textAt, type TextVisitor } from './body-texts';
import { isJsonText, STRUCTURAL_WORDS } from './structural-words';

const NO_KEYS = new KeySet([]);
const OBJECT_KEYS = new KeySet(['type', 'role']);

/**
 * The body of a whole answer with masks, spliced in; `body` itself where there is none, null where it is not JSON. Logprobs repeat the
 * text piece by piece, so they are left out.
 * @param isJson whether the text of the answer is JSON, because it was asked for
 */
export function inspectAnswer(body: Buffer, scanner: Scanner, isJson: boolean, findings: Findings): Buffer | null {
  if (!scanObject(body, NO_KEYS).ok) return null;
  const masks = new BodyMasks(body, scanner, findings);
  new BodyTexts(body, new AnswerInspection(masks, isJson)).walk();
  return masks.applied();
}

class AnswerInspection implements TextVisitor {
  constructor(
    private readonly masks: BodyMasks,
    private readonly isJson: boolean,
  ) {}

  key(start: number, end: number, key: string): boolean {
    if (key === 'logprobs') return false;
    this.masks.key(start, end, key);
    return true;
  }

  /** Lists are for lists: an SDK of the responses API looks into them. */
  skipped(start: number, end: number): void {
    this.masks.replace(start, end, this.masks.body[start] === 0x5b ? '[]' : 'null');
  }

  string(start: number, end: number, key: string, object: number): void {
    const { body } = this.masks;
    const text = textAt(body, start, end);
    if (text === '' || STRUCTURAL_WORDS.get(key)?.has(text) || isSealed(body, object, key)) return;
    const name = (wanted: string): string | undefined => memberText(body, object, OBJECT_KEYS, wanted);
    if (key === 'arguments' || (this.isJson && isJsonText(key, name('type'), name('role'))))
      this.masks.json(start, end, text);
    else this.masks.text(start, end, text);
  }

  number(start: number, end: number): void {
    this.masks.number(start, end);
  }
}
