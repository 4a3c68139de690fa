import { mergeAnthropic, usageOfAnthropic } from './anthropic-usage';
import { matches, Seen, type StreamEvents, type StreamUsage, textOrNull } from './stream-events';
import { isObject } from './token-counts';

const TYPE = Buffer.from('{"type":"');
const CONTENT_BLOCK_DELTA = Buffer.from('content_block_delta"');
const SMALL_C = 0x63;
const SMALL_P = 0x70;
/** How a delta without text, and a block's start, stop and the heartbeat end or begin. */
const EMPTY_END = Buffer.from('""}}');
const NOT_TOKENS = [Buffer.from('"delta":{"type":"signature_delta"'), Buffer.from('"delta":{"type":"citations_delta"')];

/**
 * Message stream events. Anthropic puts the type first, so a delta is told from the rest by its first bytes; the start,
 * the end and errors, a few per stream, are parsed, and so is whatever a compatible server writes in another order.
 */
export class AnthropicEvents implements StreamEvents {
  private readonly seen = new Seen();

  data(buffer: Buffer, start: number, end: number): boolean {
    const name = start + TYPE.length;
    if (end - start > TYPE.length + CONTENT_BLOCK_DELTA.length && matches(buffer, start, TYPE)) {
      const first = buffer[name];
      if (first === SMALL_C) {
        if (matches(buffer, name, CONTENT_BLOCK_DELTA)) this.delta(buffer, name + CONTENT_BLOCK_DELTA.length, end);
        return false;
      }
      if (first === SMALL_P) return false;
    }
    this.parsed(buffer.toString('utf8', start, end));
    // No event exists for the usage alone, so there is never one to hide.
    return false;
  }

  get failed(): boolean {
    return this.seen.error !== null;
  }

  finish(): StreamUsage {
    return this.seen.conclude(this.seen.usage && usageOfAnthropic(this.seen.usage));
  }

  private delta(buffer: Buffer, after: number, end: number): void {
    if (matches(buffer, end - EMPTY_END.length, EMPTY_END)) return;
    // `,"index":12,` stands before the delta.
    let at = after;
    while (at < end && buffer[at] !== 0x7b) at += 1;
    at -= '"delta":'.length;
    if (!NOT_TOKENS.some((needle) => matches(buffer, at, needle))) this.seen.deltas += 1;
  }

  private parsed(text: string): void {
    let event: unknown;
    try {
      event = JSON.parse(text);
    } catch {
      this.seen.problem = { reason: 'unreadable', field: 'usage' };
      return;
    }
    if (!isObject(event)) return;
    switch (event['type']) {
      case 'message_start':
        if (isObject(event['message'])) this.take(event['message']['usage']);
        this.seen.usageIsEarly = true;
        break;
      case 'message_delta': {
        this.take(event['usage']);
        // The output told at the start is a first word, not a count: without another one it has to be estimated.
        if (isObject(event['usage']) && typeof event['usage']['output_tokens'] === 'number')
          this.seen.usageIsEarly = false;
        const reason = isObject(event['delta']) ? textOrNull(event['delta']['stop_reason']) : null;
        if (reason !== null) this.seen.stopReason = reason;
        this.seen.usageIsFinal = reason !== null && isObject(event['usage']);
        break;
      }
      case 'message_stop':
        this.seen.terminal = true;
        break;
      case 'content_block_delta':
        this.seen.deltas += 1;
        break;
      case 'error': {
        const failure = isObject(event['error']) ? event['error'] : {};
        this.seen.error = { type: textOrNull(failure['type']), message: textOrNull(failure['message']) };
        break;
      }
    }
  }

  private take(usage: unknown): void {
    if (isObject(usage)) this.seen.usage = this.seen.usage ? mergeAnthropic(this.seen.usage, usage) : usage;
  }
}
