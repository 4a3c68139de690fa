import { usageOfOpenAi, usageOfTimings } from './openai-usage';
import { matches, Seen, type StreamEvents, type StreamUsage, textOrNull } from './stream-events';
import { isObject, type Json } from './token-counts';

const QUOTE = 0x22;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const SPACE = 0x20;

const DONE = Buffer.from('[DONE]');
const USAGE = Buffer.from('"usage"');
const DELTA = Buffer.from('"delta"');
const FINISH_REASON = Buffer.from('"finish_reason"');
const ERROR = Buffer.from('"error"');
const TIMINGS = Buffer.from('"timings"');
const ROLE = Buffer.from('"role"');

/**
 * Chat completion chunks. One pass over the bytes looks for the few keys that matter; only an event that carries a
 * usage or an error is parsed. A quote inside a JSON string is always escaped, so these keys cannot stand in a text.
 */
export class OpenAiEvents implements StreamEvents {
  private readonly seen = new Seen();
  private serviceTier: unknown = null;
  private timings: Json | null = null;

  data(buffer: Buffer, start: number, end: number): boolean {
    if (buffer[start] === OPEN_ARRAY && end - start >= DONE.length && matches(buffer, start, DONE)) {
      this.seen.terminal = true;
      return false;
    }
    let parse = false;
    for (let i = start; i < end; i += 1) {
      if (buffer[i] !== QUOTE) continue;
      switch (buffer[i + 1]) {
        case 0x75: // With include_usage every other chunk has `"usage":null`: harmless, left in place and not parsed.
          if (matches(buffer, i, USAGE) && buffer[valueAfter(buffer, i + USAGE.length)] === OPEN_OBJECT) parse = true;
          break;
        case 0x64:
          if (matches(buffer, i, DELTA) && saysSomething(buffer, valueAfter(buffer, i + DELTA.length), end))
            this.seen.deltas += 1;
          break;
        case 0x66:
          if (this.seen.stopReason === null && matches(buffer, i, FINISH_REASON)) {
            this.seen.stopReason = stringAt(buffer, valueAfter(buffer, i + FINISH_REASON.length), end);
          }
          break;
        case 0x65:
          if (matches(buffer, i, ERROR)) parse = true;
          break;
        case 0x74:
          if (matches(buffer, i, TIMINGS)) parse = true;
          break;
      }
    }
    return parse && this.parsed(buffer.toString('utf8', start, end));
  }

  get failed(): boolean {
    return this.seen.error !== null;
  }

  finish(): StreamUsage {
    const { usage } = this.seen;
    if (usage) return this.seen.conclude(usageOfOpenAi(usage, this.serviceTier));
    return this.seen.conclude(this.timings && usageOfTimings(this.timings));
  }

  private parsed(text: string): boolean {
    let event: unknown;
    try {
      event = JSON.parse(text);
    } catch {
      this.seen.problem = { reason: 'unreadable', field: 'usage' };
      return false;
    }
    if (!isObject(event)) return false;
    const failure = event['error'];
    if (isObject(failure))
      this.seen.error = { type: textOrNull(failure['type']), message: textOrNull(failure['message']) };
    // vLLM and its kin send the error itself as the event.
    else if (typeof failure === 'string') this.seen.error = { type: null, message: failure };
    else if (event['object'] === 'error') {
      this.seen.error = { type: textOrNull(event['type']), message: textOrNull(event['message']) };
    }
    if (isObject(event['timings'])) this.timings = event['timings'];
    const usage = isObject(event['usage']) ? event['usage'] : this.seen.usage === null ? elsewhere(event) : null;
    if (usage === null) return false;
    this.serviceTier = event['service_tier'];
    this.seen.usage = usage;
    this.seen.usageIsFinal = Array.isArray(event['choices']) && event['choices'].length === 0;
    return this.seen.usageIsFinal;
  }
}

/** The usage where Kimi has it, in the choice that ends the answer; and Groq, where none was asked for. */
function elsewhere({ choices, x_groq: groq }: Json): Json | null {
  const first: unknown = Array.isArray(choices) ? choices[0] : undefined;
  const found = [first, groq].map((place) => isObject(place) && place['usage']).find(isObject);
  return found ?? null;
}

/** Where the value of the key that ends here begins. */
function valueAfter(buffer: Buffer, keyEnd: number): number {
  let i = keyEnd;
  while (buffer[i] === SPACE) i += 1;
  if (buffer[i] === COLON) i += 1;
  while (buffer[i] === SPACE) i += 1;
  return i;
}

function stringAt(buffer: Buffer, start: number, end: number): string | null {
  if (buffer[start] !== QUOTE) return null;
  const close = stringEnd(buffer, start, end);
  return buffer.toString('latin1', start + 1, close);
}

/** The offset of the quote that ends the string which starts here. */
function stringEnd(buffer: Buffer, start: number, end: number): number {
  let i = start + 1;
  while (i < end && buffer[i] !== QUOTE) i += buffer[i] === BACKSLASH ? 2 : 1;
  return i;
}

/** Whether a delta has more than a role, nulls and empty texts: the first chunk and the last say nothing. */
function saysSomething(buffer: Buffer, open: number, end: number): boolean {
  if (buffer[open] !== OPEN_OBJECT) return false;
  let i = open + 1;
  while (i < end && buffer[i] !== CLOSE_OBJECT) {
    if (buffer[i] !== QUOTE) {
      i += 1;
      continue;
    }
    const isRole = matches(buffer, i, ROLE);
    const value = valueAfter(buffer, stringEnd(buffer, i, end) + 1);
    const first = buffer[value];
    if (first === QUOTE) {
      if (!isRole && buffer[value + 1] !== QUOTE) return true;
      i = stringEnd(buffer, value, end) + 1;
    } else if (first === OPEN_OBJECT || first === OPEN_ARRAY) return true;
    else i = value;
  }
  return false;
}
