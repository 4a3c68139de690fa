import type { Part, Turn } from './conversation';
import type { ClientFormat } from './format';
import { parseRecord } from './json';
import { bodyOf } from './refuse';
import type { BlockHead, StreamWriter } from './reply-stream';
import { StreamListener } from './stream-listener';
import { REPLY_READERS } from './translate-answer';
import { REQUEST_READERS } from './translate-request';

/** What is said in a request, in no dialect. @throws CodedError for what makes no sense */
export const turnsOf = (format: ClientFormat, body: Buffer): readonly Turn[] =>
  REQUEST_READERS[format](bodyOf(body), new Set()).conversation.turns;

/**
 * What is said in an answer, as far as it came; of several choices in the first. @param isStream whether it is made of
 * server-sent events @throws CodedError for what makes no sense
 */
export function partsOf(format: ClientFormat, body: Buffer, isStream: boolean): readonly Part[] {
  if (!isStream) return REPLY_READERS[format](parseRecord(body.toString('utf8')) ?? {}).parts;
  const gathered = new Gathered();
  const listener = new StreamListener(format, gathered);
  listener.push(body);
  listener.flush();
  return gathered.parts;
}

class Gathered implements StreamWriter {
  readonly #parts: { head: BlockHead; text: string }[] = [];

  get parts(): Part[] {
    return this.#parts.map(({ head, text }): Part => {
      if (head.kind === 'call') return { kind: 'call', id: head.id, name: head.name, args: text };
      return head.kind === 'thinking' ? { kind: 'thinking', text, seal: null } : { kind: head.kind, text };
    });
  }

  begin(): void {}

  open(head: BlockHead): void {
    this.#parts.push({ head, text: '' });
  }

  delta(_: BlockHead, text: string): void {
    const part = this.#parts.at(-1);
    if (part) part.text += text;
  }

  close(): void {}

  end(): void {}
}
