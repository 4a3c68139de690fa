import { partsOf, turnsOf, type Part, type Turn } from '@app/dialects';
import type { RecordingSink } from '../answer/recording-sink';
import type { SpanAttributes } from './call-spans';
import type { CallTrace } from './call-trace';
import { carriesContent } from './traced-api';

/** A part of a message as the conventions' schemas have it. */
type Told = Readonly<Record<string, unknown>>;

interface Message {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly parts: readonly Told[];
  readonly finish_reason?: string;
}

/**
 * Prompt and answer as `gen_ai.input.messages` and `gen_ai.output.messages`: as they were routed and as the client got them, so
 * what a policy has masked is masked. Bytes of images and the like are left out, and what is above `mostBytes` is cut.
 */
export function contentAttributes(call: CallTrace, mostBytes: number): SpanAttributes {
  const { api: wire } = call.asking;
  if (!carriesContent(wire)) return {};
  const attributes: SpanAttributes = {};
  const { asked } = call;
  if (asked) tell(attributes, 'gen_ai.input.messages', mostBytes, () => turnsOf(wire, asked).flatMap(messagesOf));
  const answer = call.recorded;
  const body = answer?.body;
  if (answer && body && answer.status < 300)
    tell(attributes, 'gen_ai.output.messages', mostBytes, () => [
      {
        role: 'assistant',
        parts: partsOf(wire, body, answer.isStream).map(told),
        finish_reason: call.settled?.stopReason ?? 'error',
      },
    ]);
  return attributes;
}

export type Recorded = Pick<RecordingSink, 'status' | 'isStream' | 'body'>;

function tell(attributes: SpanAttributes, name: string, mostBytes: number, read: () => readonly Message[]): void {
  try {
    const { text, isCut } = bounded(read(), mostBytes);
    attributes[name] = text;
    if (isCut) attributes['openclawmu.content.truncated'] = true;
  } catch {
    // What cannot be read is the provider's to judge, and is told nowhere.
  }
}

/** Results of tools are a role of their own. */
function messagesOf({ role, parts }: Turn): Message[] {
  const results = parts.filter(({ kind }) => kind === 'result');
  const others = parts.filter(({ kind }) => kind !== 'result');
  const messages: Message[] = [];
  if (results.length > 0) messages.push({ role: 'tool', parts: results.map(told) });
  if (others.length > 0) messages.push({ role, parts: others.map(told) });
  return messages;
}

function told(part: Part): Told {
  switch (part.kind) {
    case 'text':
    case 'refusal':
      return { type: 'text', content: part.text };
    case 'thinking':
      return { type: 'reasoning', content: part.text };
    case 'call':
      return { type: 'tool_call', id: part.id, name: part.name, arguments: parsed(part.args) };
    case 'result':
      return { type: 'tool_call_response', id: part.id, response: part.parts.map(told) };
    case 'audio':
      return { type: 'blob', modality: 'audio', mime_type: `audio/${part.format}`, content: '' };
    default: {
      const { kind, source } = part;
      return source.kind === 'url'
        ? { type: 'uri', modality: kind, uri: source.url }
        : { type: 'blob', modality: kind, mime_type: source.mediaType, content: '' };
    }
  }
}

function parsed(args: string): unknown {
  try {
    return JSON.parse(args);
  } catch {
    return args;
  }
}

/** The latest messages that fit; of one that does not, its texts are cut. */
export function bounded(messages: readonly Message[], mostBytes: number): { text: string; isCut: boolean } {
  let kept = messages;
  let text = JSON.stringify(kept);
  if (Buffer.byteLength(text) <= mostBytes) return { text, isCut: false };
  while (kept.length > 1 && Buffer.byteLength(text) > mostBytes) {
    kept = kept.slice(Math.ceil(kept.length / 2));
    text = JSON.stringify(kept);
  }
  for (let most = mostBytes; Buffer.byteLength(text) > mostBytes && most > 1; most = Math.floor(most / 2))
    text = JSON.stringify(kept, (_, value: unknown) => (typeof value === 'string' ? value.slice(0, most) : value));
  return { text: Buffer.byteLength(text) > mostBytes ? '[]' : text, isCut: true };
}
