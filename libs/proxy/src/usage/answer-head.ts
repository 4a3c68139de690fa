import { KeySet } from '../scan/key-set';
import { kindAt, membersAt, scanObject, valueOf } from '../scan/request-scan';
import type { ProviderWire } from '../wire';

/** What an answer says of itself. Nothing is billed by it. */
export interface AnswerHead {
  readonly id: string | null;
  /** Which model answered, in the provider's words: often one with a date, where a name without was asked for. */
  readonly model: string | null;
}

/** What an answer, or an event of a stream, calls the two, and the member of such an event that they stand in. */
interface Names {
  readonly id: string;
  readonly model: string;
  readonly within: string | null;
}

const OPENAI: Names = { id: 'id', model: 'model', within: null };
const NAMES: Readonly<Record<ProviderWire, Names>> = {
  chat: OPENAI,
  embeddings: OPENAI,
  responses: { ...OPENAI, within: 'response' },
  messages: { ...OPENAI, within: 'message' },
  gemini: { id: 'responseId', model: 'modelVersion', within: null },
};
const KEYS = new KeySet(Object.values(NAMES).flatMap(({ id, model }) => [id, model]));
const OUTER_KEYS = new KeySet(Object.values(NAMES).flatMap(({ within }) => within ?? []));

/** Ids of providers have some forty characters; what is much longer is none. */
const LONGEST = 200;

/** The head of the whole answer whose brace is at `open`, in a body that has been scanned; null if it has none. */
export function headAt(wire: ProviderWire, body: Buffer, open: number): AnswerHead | null {
  const found = membersAt(body, open, KEYS);
  if (!found.ok) return null;
  const { members } = found.object;
  const told = (key: string): string | null => {
    const member = members.get(key);
    const value = member && valueOf(body, member);
    return typeof value === 'string' && value !== '' && value.length <= LONGEST ? value : null;
  };
  const names = NAMES[wire];
  const head = { id: told(names.id), model: told(names.model) };
  return head.id === null && head.model === null ? null : head;
}

/** The head of an answer, out of the data of one of its events; null if it is not in there. */
export function headOfEvent(wire: ProviderWire, event: Buffer): AnswerHead | null {
  const scanned = scanObject(event, OUTER_KEYS);
  if (!scanned.ok) return null;
  const { within } = NAMES[wire];
  if (within === null) return headAt(wire, event, scanned.object.open);
  const inner = scanned.object.members.get(within);
  return inner && kindAt(event, inner.valueStart) === 'object' ? headAt(wire, event, inner.valueStart) : null;
}

/** What of it may be told to others, where the provider might repeat the key it was asked with. */
export function withoutKey(
  head: AnswerHead | null,
  key: { isIn(text: string): boolean } | null | undefined,
): AnswerHead | null {
  if (!head || !key) return head;
  const clean = (text: string | null): string | null => (text !== null && key.isIn(text) ? null : text);
  return { id: clean(head.id), model: clean(head.model) };
}
