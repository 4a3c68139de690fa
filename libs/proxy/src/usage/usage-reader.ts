import { type LineSink, MAX_LINE_BYTES, SseLines } from '@app/dialects';
import type { ProviderWire } from '../wire';
import { headOfEvent, type AnswerHead } from './answer-head';
import { AnthropicEvents } from './anthropic-events';
import { GeminiEvents } from './gemini-events';
import { OpenAiEvents } from './openai-events';
import { ResponseEvents } from './response-events';
import { matches, type StreamEvents, type StreamUsage } from './stream-events';

export type { StreamError, StreamUsage } from './stream-events';

const DATA = Buffer.from('data:');
/** How the data of an error begins in what providers write. */
const ERRORS = ['{"error"', '{"type":"error"', '{"object":"error"', '{"type":"response.failed"']
  .flatMap((start) => [`data: ${start}`, `data:${start}`])
  .map((line) => Buffer.from(line));
const LONGEST_ERROR_START = Math.max(...ERRORS.map(({ length }) => length));
const NOTHING = Buffer.alloc(0);
const CHOICE = Buffer.from('"choices":[{');
const SPACE = 0x20;
const CR = 0x0d;
const CLOSE_ARRAY = 0x5d;
const CLOSE_OBJECT = 0x7d;

const EVENTS: Readonly<Record<ProviderWire, new () => StreamEvents>> = {
  chat: OpenAiEvents,
  embeddings: OpenAiEvents,
  responses: ResponseEvents,
  messages: AnthropicEvents,
  gemini: GeminiEvents,
};

/** A line that has grown beyond this cannot be the usage event any more, so there is no reason to hold it back. */
const LONGEST_USAGE_LINE = 16 * 1024;

/** Events in which an answer may say what it is; some servers send one or two of their own before it. */
const LOOKS = 3;

/** The last event of a response repeats all of its output, and of its request the instructions and the tools. */
const MAX_RESPONSE_BYTES = 64 * 1024 * 1024;

/**
 * Reads along while a stream of server-sent events is relayed.
 *
 * `hideUsage` is for streams that end with a usage event only because the gateway asked for it: that event is taken out
 * of what the client sees. All other bytes pass as they came, and at once; only a line that has begun and might still
 * turn out to be that event, or an error, waits for its end, which no client could have used earlier anyway. An error of the provider
 * ends what is relayed: its text may name the account that all tenants share, so the exchange tells it in other words.
 */
export class UsageReader implements LineSink {
  private readonly events: StreamEvents;
  private readonly lines: SseLines;
  /** Data of an event that is spread over several lines, joined so far. */
  private spread: string | null = null;
  /** The partial line at the end of the last chunk has not been relayed. */
  private holding = false;
  /** The usage event was taken out; the blank line behind it belongs to it. */
  private swallowBlank = false;

  private out: Buffer[] = [];
  private chunk: Buffer = NOTHING;
  private relayed = 0;
  private held: Buffer | null = null;
  /** How many more events are looked into for the head. */
  private looks: number;
  private head: AnswerHead | undefined;

  /** @param wantsHead whether the answer is asked what it is, apart from what it costs */
  constructor(
    private readonly wire: ProviderWire,
    private readonly hideUsage = false,
    wantsHead = false,
  ) {
    this.looks = wantsHead ? LOOKS : 0;
    this.lines = new SseLines(wire === 'responses' ? MAX_RESPONSE_BYTES : MAX_LINE_BYTES);
    this.events = new EVENTS[wire]();
  }

  /** Takes a chunk as it came from the provider and returns the bytes to relay now: usually the chunk, maybe none. */
  push(chunk: Buffer): Buffer {
    this.chunk = chunk;
    this.relayed = 0;
    this.held = this.holding ? this.lines.rest() : null;
    this.lines.push(chunk, this);
    if (!this.events.failed) this.holdOrRelayRest();
    return this.takeOut();
  }

  /** The provider has ended the stream: reads a last line without line end, and returns what was still held back. */
  flush(): Buffer {
    const rest = this.lines.rest();
    const wasHeld = this.holding;
    this.holding = false;
    const hidden = rest.length > 0 && this.read(rest, 0, rest.length);
    if (this.spread !== null) this.endSpread(this.spread);
    return wasHeld && !(hidden && this.hideUsage) && !this.events.failed ? rest : NOTHING;
  }

  /** What is known by now; to be asked at the end, or whenever the relay stops. */
  finish(): StreamUsage {
    const found = this.events.finish();
    const usage = this.head ? { ...found, head: this.head } : found;
    if (usage.problem?.reason !== 'missing' || this.lines.skipped === 0) return usage;
    return { ...usage, problem: { reason: 'too_large', field: 'event' } };
  }

  /** For {@link SseLines}: reads a line, and keeps it from the client if it is the one to hide. */
  line(buffer: Buffer, start: number, end: number, next: number): void {
    const hadFailed = this.events.failed;
    const isUsage = this.read(buffer, start, end) && this.hideUsage;
    if (hadFailed) return;
    const isWhole = buffer === this.chunk;
    if (this.events.failed) {
      if (isWhole && start > this.relayed) this.out.push(this.chunk.subarray(this.relayed, start));
      this.held = null;
      this.holding = false;
      return;
    }
    const isBlankOfHidden = this.swallowBlank && start === end;
    this.swallowBlank = false;
    if ((isUsage || isBlankOfHidden) && (isWhole || this.held)) {
      if (isWhole && start > this.relayed) this.out.push(this.chunk.subarray(this.relayed, start));
      this.relayed = next;
      this.swallowBlank = isUsage;
    } else if (this.held) this.out.push(this.held);
    this.held = null;
  }

  /** One line of the stream; true if its event is the usage and nothing else. */
  private read(buffer: Buffer, start: number, end: number): boolean {
    if (start === end) {
      if (this.spread !== null) this.endSpread(this.spread);
      return false;
    }
    if (end - start < DATA.length || !matches(buffer, start, DATA)) return false;
    const from = buffer[start + DATA.length] === SPACE ? start + DATA.length + 1 : start + DATA.length;
    const last = buffer[end - 1];
    if (this.spread !== null)
      this.spread = `${this.spread}\n${buffer.toString('utf8', from, end)}`.slice(0, MAX_LINE_BYTES);
    // An event that does not end like JSON goes on in the next line.
    else if (last !== CLOSE_OBJECT && last !== CLOSE_ARRAY) this.spread = buffer.toString('utf8', from, end);
    else return this.event(buffer, from, end);
    return false;
  }

  private endSpread(data: string): void {
    this.spread = null;
    const buffer = Buffer.from(data.trim(), 'utf8');
    if (buffer.length > 0) this.event(buffer, 0, buffer.length);
  }

  private event(buffer: Buffer, start: number, end: number): boolean {
    if (this.looks > 0) this.look(buffer.subarray(start, end));
    return this.events.data(buffer, start, end);
  }

  private look(event: Buffer): void {
    this.head = headOfEvent(this.wire, event) ?? undefined;
    this.looks = this.head ? 0 : this.looks - 1;
  }

  /** Relays what follows the last line end, unless it might become an event to hide. */
  private holdOrRelayRest(): void {
    const held = this.held;
    this.held = null;
    const waiting = this.lines.waiting;
    this.holding = waiting > 0 && this.mayBeHidden(waiting);
    if (this.holding) {
      const tail = Math.max(this.relayed, this.chunk.length - waiting);
      if (tail > this.relayed) this.out.push(this.chunk.subarray(this.relayed, tail));
      this.relayed = this.chunk.length;
      return;
    }
    if (held) this.out.push(held);
    if (this.relayed < this.chunk.length) {
      this.out.push(this.relayed === 0 ? this.chunk : this.chunk.subarray(this.relayed));
    }
  }

  /** What is once found not to be the event stays so as the line grows: a line let go is never held again. */
  private mayBeHidden(waiting: number): boolean {
    if (!this.hideUsage) return this.mayBeError();
    if (waiting > LONGEST_USAGE_LINE) return false;
    const partial = this.lines.rest();
    if (this.swallowBlank && partial[0] === CR) return true;
    const known = Math.min(partial.length, DATA.length);
    return matches(partial, 0, DATA.subarray(0, known)) && !partial.includes(CHOICE);
  }

  /** The beginning tells; an error may be long, where it repeats the whole request. */
  private mayBeError(): boolean {
    const start = this.lines.start(LONGEST_ERROR_START);
    return ERRORS.some((error) => matches(start, 0, error.subarray(0, start.length)));
  }

  private takeOut(): Buffer {
    const out = this.out;
    if (out.length === 0) return NOTHING;
    this.out = [];
    return out.length === 1 ? out[0]! : Buffer.concat(out);
  }
}
