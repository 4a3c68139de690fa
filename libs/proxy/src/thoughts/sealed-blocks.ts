import { placeText } from '../policy/place-text';
import { KeySet } from '../scan/key-set';
import type { Splice } from '../scan/request-edit';
import {
  eachElement,
  kindAt,
  membersAt,
  scanObject,
  valueOf,
  type JsonObject,
  type Member,
} from '../scan/request-scan';
import type { Wire } from '../wire';
import { textsOf, type SignedThought } from './signed-thought';
import { SEALED_THOUGHT } from './thought-seal';

/** A thought in a request whose signature is a seal of ours. */
export interface SealedBlock {
  /** `messages[1].content[0]` */
  readonly where: string;
  /** Its texts, as they came back. */
  readonly told: readonly string[];
  readonly sealed: string;
  /** What puts a thought in its place. */
  readonly with: (thought: SignedThought) => Splice[];
}

type Members = JsonObject['members'];

const LIST_KEYS = new KeySet(['messages', 'input']);
const MESSAGE_KEYS = new KeySet(['role', 'content', 'thinking_blocks']);
const BLOCK_KEYS = new KeySet(['type', 'thinking', 'signature', 'summary', 'encrypted_content']);
const SEALED = Buffer.from(`"${SEALED_THOUGHT}`);

/**
 * The sealed thoughts of a request, in order. They stand where answers have them and nowhere else: put elsewhere, in the input of a
 * tool say, a thought would be a text like any other, which the model may be asked to repeat.
 */
export function sealedBlocks(wire: Wire, body: Buffer): SealedBlock[] {
  const scanned = scanObject(body, LIST_KEYS);
  if (!scanned.ok) return [];
  const { members } = scanned.object;
  const reader = new Reader(body);
  if (wire === 'responses') reader.blocks(members.get('input'), ['input']);
  else reader.messages(members.get('messages'), wire === 'chat' ? 'thinking_blocks' : 'content');
  return reader.found;
}

class Reader {
  readonly found: SealedBlock[] = [];

  constructor(private readonly body: Buffer) {}

  messages(messages: Member | undefined, key: string): void {
    this.each(messages, MESSAGE_KEYS, (message, i) => {
      if (this.text(message.get('role')) === 'assistant') this.blocks(message.get(key), ['messages', i, key]);
    });
  }

  blocks(blocks: Member | undefined, place: readonly (string | number)[]): void {
    this.each(blocks, BLOCK_KEYS, (block, i) => {
      const type = this.text(block.get('type'));
      const signature = block.get(type === 'reasoning' ? 'encrypted_content' : 'signature');
      const texts = block.get(type === 'reasoning' ? 'summary' : 'thinking');
      if ((type !== 'thinking' && type !== 'reasoning') || !signature || !texts || !this.isSealed(signature)) return;
      const value = valueOf(this.body, texts);
      this.found.push({
        where: placeText([...place, i]),
        told: textsOf({ [texts.key]: value }),
        sealed: valueOf(this.body, signature) as string,
        with: (thought) => [inPlaceOf(signature, thought.signature), inPlaceOf(texts, written(value, thought))],
      });
    });
  }

  private each(list: Member | undefined, keys: KeySet, visit: (members: Members, i: number) => void): void {
    if (!list || kindAt(this.body, list.valueStart) !== 'array') return;
    let i = 0;
    eachElement(this.body, list.valueStart, (start) => {
      const index = i++;
      if (kindAt(this.body, start) !== 'object') return undefined;
      const read = membersAt(this.body, start, keys);
      // A key that comes twice may mean either: nothing is put there.
      if (!read.ok) return undefined;
      visit(read.object.members, index);
      return read.object.close + 1;
    });
  }

  private isSealed({ valueStart }: Member): boolean {
    return this.body.subarray(valueStart, valueStart + SEALED.length).equals(SEALED);
  }

  private text(member: Member | undefined): string | undefined {
    if (!member || kindAt(this.body, member.valueStart) !== 'string') return undefined;
    return valueOf(this.body, member) as string;
  }
}

const inPlaceOf = ({ valueStart, valueEnd }: Member, value: unknown): Splice => ({
  ...{ start: valueStart, end: valueEnd },
  text: JSON.stringify(value),
});

/** A text, or a list of parts with a text each. */
function written(value: unknown, { texts }: SignedThought): unknown {
  if (!Array.isArray(value)) return texts[0];
  return value.map((part: unknown, i) => ({ ...(part as object), text: texts[i] }));
}
