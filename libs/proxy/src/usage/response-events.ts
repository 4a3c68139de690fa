import { KeySet } from '../scan/key-set';
import { type JsonObject, kindAt, membersAt, scanObject, valueOf } from '../scan/request-scan';
import { usageOfResponses } from './openai-usage';
import { searchesIn } from './response-searches';
import { matches, Seen, type StreamEvents, type StreamUsage, textOrNull } from './stream-events';
import { isObject, type Json } from './token-counts';

const TYPE = Buffer.from('{"type":"');
const DELTA_END = Buffer.from('.delta"');
const DELTA = Buffer.from('"delta":');
const RESPONSE = Buffer.from('response.');
const QUOTE = 0x22;
const SPACE = 0x20;

const EVENT_KEYS = new KeySet(['type', 'response', 'delta', 'error']);
const RESPONSE_KEYS = new KeySet(['usage', 'service_tier', 'status', 'incomplete_details', 'output']);

/** Events that end a response. What failed may still have a usage, but is not complete. */
const ENDS: ReadonlySet<string> = new Set(['response.completed', 'response.incomplete']);

/**
 * Events of the responses API (https://platform.openai.com/docs/api-reference/responses-streaming). OpenAI puts the type first,
 * so that almost every event is told by its first bytes; only the last one is looked into, and of that only what is billed,
 * because it repeats the whole answer and much of the request. Servers that write keys in another order cost a scan.
 */
export class ResponseEvents implements StreamEvents {
  private readonly seen = new Seen();
  private serviceTier: unknown = null;
  private searches = 0;

  data(buffer: Buffer, start: number, end: number): boolean {
    const name = start + TYPE.length;
    if (end - start > TYPE.length + RESPONSE.length && matches(buffer, start, TYPE)) {
      let close = name;
      while (close < end && buffer[close] !== QUOTE) close += 1;
      if (matches(buffer, close + 1 - DELTA_END.length, DELTA_END)) this.delta(buffer, close, end);
      else this.named(buffer.toString('latin1', name, close), buffer, start, end);
    } else this.unordered(buffer, start, end);
    // No event exists for the usage alone, so there is never one to hide.
    return false;
  }

  get failed(): boolean {
    return this.seen.error !== null;
  }

  finish(): StreamUsage {
    const { usage } = this.seen;
    return this.seen.conclude(usage && usageOfResponses(usage, this.serviceTier, this.searches));
  }

  private delta(buffer: Buffer, from: number, end: number): void {
    for (let i = from; i < end; i += 1) {
      if (buffer[i] !== QUOTE || !matches(buffer, i, DELTA)) continue;
      let value = i + DELTA.length;
      while (buffer[value] === SPACE) value += 1;
      if (buffer[value] !== QUOTE || buffer[value + 1] !== QUOTE) this.seen.deltas += 1;
      return;
    }
  }

  /** The type somewhere among the keys, as servers write it that sort them. */
  private unordered(buffer: Buffer, start: number, end: number): void {
    const event = buffer.subarray(start, end);
    const scanned = scanObject(event, EVENT_KEYS);
    if (!scanned.ok) return;
    const type = textAt(event, scanned.object, 'type');
    if (type?.endsWith('.delta')) {
      if (textAt(event, scanned.object, 'delta') !== '') this.seen.deltas += 1;
    } else if (type !== undefined || scanned.object.members.has('error'))
      this.named(type ?? 'error', event, 0, event.length);
  }

  private named(type: string, buffer: Buffer, start: number, end: number): void {
    if (ENDS.has(type)) this.ended(buffer.subarray(start, end));
    else if (type === 'response.failed' || type === 'error') this.broken(buffer.toString('utf8', start, end));
  }

  private ended(event: Buffer): void {
    const scanned = scanObject(event, EVENT_KEYS);
    const response = scanned.ok ? scanned.object.members.get('response') : undefined;
    const isObjectThere = response && kindAt(event, response.valueStart) === 'object';
    const inner = isObjectThere ? membersAt(event, response.valueStart, RESPONSE_KEYS) : undefined;
    if (!inner?.ok) {
      this.seen.problem = { reason: 'unreadable', field: 'usage' };
      return;
    }
    const told = (key: string): unknown => valueAt(event, inner.object, key);
    this.seen.terminal = true;
    this.seen.stopReason = stopReasonOf(told('status'), told('incomplete_details'));
    this.searches = searchesIn(event, inner.object.members.get('output'));
    this.take(told('usage'), told('service_tier'));
  }

  private broken(text: string): void {
    let event: unknown;
    try {
      event = JSON.parse(text);
    } catch {
      this.seen.problem = { reason: 'unreadable', field: 'usage' };
      event = {};
    }
    if (!isObject(event)) return;
    const response = isObject(event['response']) ? event['response'] : {};
    const failure = [response['error'], event['error'], event].find(isObject) ?? {};
    this.seen.error = { type: codeOf(failure), message: textOrNull(failure['message']), event };
    this.take(response['usage'], response['service_tier']);
  }

  private take(usage: unknown, serviceTier: unknown): void {
    if (!isObject(usage)) return;
    this.seen.usage = usage;
    this.serviceTier = serviceTier;
    this.seen.usageIsFinal = true;
  }
}

/** How a response ended: its status, or the reason why it is not complete. */
export function stopReasonOf(status: unknown, incomplete: unknown): string | null {
  return (isObject(incomplete) ? textOrNull(incomplete['reason']) : null) ?? textOrNull(status);
}

const codeOf = (failure: Json): string | null =>
  textOrNull(failure['code']) ?? (failure['type'] === 'error' ? null : textOrNull(failure['type']));

const valueAt = (buffer: Buffer, object: JsonObject, key: string): unknown => {
  const member = object.members.get(key);
  // The output is walked in place: a value is made of the few small members only.
  return member && valueOf(buffer, member);
};

const textAt = (buffer: Buffer, object: JsonObject, key: string): string | undefined =>
  textOrNull(valueAt(buffer, object, key)) ?? undefined;
