import { CodedError, type Steps } from '@app/platform';
import { Findings, maskText, type Scanner } from '@app/policy';
import type { RequestFacts } from '../request/request-facts';
import { BodyMasks } from './body-masks';
import { BodyTexts, textAt, type TextVisitor } from './body-texts';
import { placeText } from './place-text';
import { isSealedText, STRUCTURAL_WORDS } from './structural-words';
import { textOfBase64, textOfDataUrl } from './text-media';

/** Under these a block has its bytes, or the address where they are. */
const BYTES_KEYS: ReadonlySet<string> = new Set(['data', 'file_data', 'url', 'image_url', 'file_url']);

/**
 * Looks through all that a request says, whatever the API makes of it: keys, strings and long numbers at any depth, arguments of
 * calls, texts in base64. Masks are spliced in; where nothing is masked the body is `body` itself.
 * @throws CodedError `prompt_refused`, `prompt_uninspectable`
 */
export function* inspectRequest(
  body: Buffer,
  facts: RequestFacts,
  scanner: Scanner,
  allowsUninspectable: boolean,
  findings: Findings,
): Steps<Buffer> {
  const masks = new BodyMasks(body, scanner, findings);
  yield* new RequestInspection(masks, facts, allowsUninspectable).walk();
  return masks.applied();
}

class RequestInspection implements TextVisitor {
  readonly #texts: BodyTexts;
  /** The next of the blocks that are not text, and the end of the one we are in. */
  #nextMedia = 0;
  #mediaEnd = 0;
  #isReadable = false;

  constructor(
    private readonly masks: BodyMasks,
    private readonly facts: RequestFacts,
    private readonly allowsUninspectable: boolean,
  ) {
    this.#texts = new BodyTexts(masks.body, this);
  }

  walk(): Steps<void> {
    return this.#texts.walk();
  }

  opened(open: number): void {
    const media = this.facts.media[this.#nextMedia];
    if (media?.start !== open) return;
    this.#nextMedia += 1;
    this.#mediaEnd = media.end;
    this.#isReadable = false;
  }

  closed(open: number): void {
    const media = this.facts.media[this.#nextMedia - 1];
    if (media?.start !== open) return;
    this.#mediaEnd = 0;
    if (!this.#isReadable) this.unreadable(media.kind === 'other' ? 'documents of this kind' : `${media.kind}s`);
  }

  *key(start: number, end: number, key: string): Steps<boolean> {
    yield* this.masks.key(start, end, key);
    this.refuseIfFound();
    return true;
  }

  *string(start: number, end: number, key: string, object: number): Steps<void> {
    if (key === 'model' && this.#texts.place.length === 1) return;
    const { body } = this.masks;
    const text = textAt(body, start, end);
    if (text === '' || STRUCTURAL_WORDS.get(key)?.has(text)) return;
    if (isSealedText(text) && this.#texts.isSealed(object, key)) return;
    if (start < this.#mediaEnd && BYTES_KEYS.has(key)) yield* this.bytes(start, end, key, text, object);
    else if (this.isSigned(key, object)) yield* this.signed(text);
    else if (key === 'arguments') yield* this.masks.json(start, end, text);
    else yield* this.masks.text(start, end, text);
    this.refuseIfFound();
  }

  *number(start: number, end: number): Steps<void> {
    if (this.facts.wire === 'embeddings' && this.#texts.place[0] === 'input') return this.unreadable('token ids');
    yield* this.masks.number(start, end);
    this.refuseIfFound();
  }

  /** The bytes of a block that is not text: of a text after all, or nothing that could be looked into. */
  private *bytes(start: number, end: number, key: string, written: string, object: number): Steps<void> {
    const { scanner, findings } = this.masks;
    const encoded =
      key === 'data' ? textOfBase64(this.#texts.beside(object, 'media_type') ?? '', written) : textOfDataUrl(written);
    if (!encoded) return;
    this.#isReadable = true;
    const masked = yield* maskText(encoded.text, scanner, findings);
    if (masked !== encoded.text) this.masks.replace(start, end, JSON.stringify(encoded.again(masked)));
  }

  private isSigned(key: string, object: number): boolean {
    if (key !== 'thinking' || this.#texts.beside(object, 'type') !== 'thinking') return false;
    const signature = this.#texts.beside(object, 'signature') ?? '';
    return signature !== '' && isSealedText(signature);
  }

  /** Thoughts go back to whom they came from, who signed them: a mask would break the seal, and keep nothing from anybody. */
  private *signed(text: string): Steps<void> {
    const found = new Findings();
    yield* maskText(text, this.masks.scanner, found);
    if (found.refusedBy !== null) this.masks.findings.add(found.refusedBy, 'refuse');
  }

  private refuseIfFound(): void {
    const { refusedBy } = this.masks.findings;
    if (refusedBy === null) return;
    const where = placeText(this.#texts.place);
    throw new CodedError('prompt_refused', `The rule "${refusedBy}" of your company found something at ${where}.`, {
      details: { rule: refusedBy, where },
    });
  }

  private unreadable(what: string): void {
    if (this.allowsUninspectable) return;
    const where = placeText(this.#texts.place);
    throw new CodedError('prompt_uninspectable', `The rules of your company cannot look into ${what}, at ${where}.`, {
      details: { where },
    });
  }
}
