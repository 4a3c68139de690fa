import { SseLines, type LineSink } from '@app/dialects';
import type { Findings, Scanner } from '@app/policy';
import { CodedError } from '@app/platform';
import { StreamedThoughts } from '../thoughts/streamed-thoughts';
import type { Wire } from '../wire';
import { ChatEvents } from './chat-events';
import { EventValues, isJson, textOf, type Json } from './event-values';
import type { Inspecting } from './inspecting';
import { MessagesEvents } from './messages-events';
import { ResponsesEvents } from './responses-events';
import { TextChannels } from './text-channels';
import type { WireEvents } from './wire-events';

type EventsOf = new (
  channels: TextChannels,
  values: EventValues,
  isJson: boolean,
  thoughts: StreamedThoughts | null,
) => WireEvents;

const WIRES: Readonly<Record<Wire, EventsOf>> = {
  chat: ChatEvents,
  // Vectors do not stream; were they to, nothing of them is text.
  embeddings: ChatEvents,
  responses: ResponsesEvents,
  messages: MessagesEvents,
};

/** An event larger than this cannot be looked through, and must not pass unseen. */
const MAX_EVENT_BYTES = 64 * 1024 * 1024;
const NOTHING = Buffer.alloc(0);

/**
 * Masks a stream of server-sent events while it passes: texts in pieces as they become certain, all else with its event. Events keep
 * their order; what is said in them and nobody knows is looked through as well.
 */
export class MaskedEvents implements LineSink {
  readonly #lines = new SseLines(MAX_EVENT_BYTES);
  readonly #events: WireEvents;
  readonly #scanner: Scanner;
  readonly #findings: Findings;
  #name: string | null = null;
  #data: string | null = null;
  #out = '';

  constructor(inspecting: Inspecting, findings: Findings) {
    const { wire, scanner, isJson, seal } = inspecting;
    const values = new EventValues(inspecting, findings);
    const thoughts = seal && new StreamedThoughts(seal);
    this.#events = new WIRES[wire](new TextChannels(scanner, findings), values, isJson, thoughts);
    this.#scanner = scanner;
    this.#findings = findings;
  }

  /** @throws CodedError `provider_error` */
  push(chunk: Buffer): Buffer {
    this.#lines.push(chunk, this);
    if (this.#lines.skipped > 0)
      throw new CodedError('provider_error', 'The answer has an event that is too large to be looked through.');
    return this.taken();
  }

  flush(): Buffer {
    const rest = this.#lines.rest();
    if (rest.length > 0) this.line(rest, 0, rest.length);
    this.dispatch();
    for (const event of this.#events.ended()) this.tell(event);
    return this.taken();
  }

  /** For {@link SseLines}. */
  line(buffer: Buffer, start: number, end: number): void {
    if (start === end) return this.dispatch();
    const line = buffer.toString('utf8', start, end);
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1));
    if (field === 'data') this.#data = this.#data === null ? value : `${this.#data}\n${value}`;
    else if (field === 'event') this.#name = value;
    // Comments keep a connection open.
    else if (field === '') this.#out += `${this.#scanner.mask(line, this.#findings)}\n`;
  }

  private dispatch(): void {
    const [data, name] = [this.#data, this.#name];
    this.#data = this.#name = null;
    if (data === null) {
      if (this.#out !== '') this.#out += '\n';
      return;
    }
    const event = parsed(data);
    if (event) for (const one of this.#events.masked(event)) this.tell(one, name);
    else {
      // The last word of a stream, or nothing that an API would say.
      for (const one of this.#events.ended()) this.tell(one);
      this.write(null, this.#scanner.mask(data, this.#findings));
    }
  }

  private tell(event: Json, name: string | null = null): void {
    this.write(typeof event['type'] === 'string' ? textOf(event['type']) : name, JSON.stringify(event));
  }

  /** Nothing of an event in which something was found that refuses, nor behind it. */
  private write(name: string | null, data: string): void {
    if (this.#findings.refusedBy !== null) return;
    this.#out += `${name === null ? '' : `event: ${name}\n`}data: ${data}\n\n`;
  }

  private taken(): Buffer {
    const out = this.#out;
    this.#out = '';
    return out === '' ? NOTHING : Buffer.from(out, 'utf8');
  }
}

function parsed(data: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(data);
    return isJson(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
