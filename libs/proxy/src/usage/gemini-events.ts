import { usageOfGemini } from './gemini-usage';
import { Seen, type StreamEvents, type StreamUsage, textOrNull } from './stream-events';
import { isObject, type Json } from './token-counts';

const USAGE = Buffer.from('"usageMetadata"');
const REASON = Buffer.from('"finishReason"');
const BLOCKED = Buffer.from('"blockReason"');
const ERROR = Buffer.from('"error"');
const CALL = Buffer.from('"functionCall"');
const WORDS = [Buffer.from('"text": "'), Buffer.from('"text":"')];
const QUOTE = 0x22;

/**
 * Chunks of streamGenerateContent. Each tells the usage so far, so only the last is read, and only at the end. The stream
 * has no last word: the chunk with a reason to stop is its end.
 */
export class GeminiEvents implements StreamEvents {
  private readonly seen = new Seen();
  /** The last event with a usage: it lies in a chunk that the connection may write over. */
  private last: Buffer | null = null;

  data(buffer: Buffer, start: number, end: number): boolean {
    const event = buffer.subarray(start, end);
    if (event.includes(CALL) || WORDS.some((words) => saysSomething(event, words))) this.seen.deltas += 1;
    if (event.includes(USAGE)) this.last = Buffer.from(event);
    // A tool's arguments may have members of these names, so the event is looked into.
    if (event.includes(REASON) || event.includes(BLOCKED) || event.includes(ERROR)) this.parsed(event);
    return false;
  }

  get failed(): boolean {
    return this.seen.error !== null;
  }

  finish(): StreamUsage {
    const usage = this.last && parse(this.last)?.['usageMetadata'];
    if (isObject(usage)) this.seen.usage = usage;
    return this.seen.conclude(this.seen.usage && usageOfGemini(this.seen.usage));
  }

  private parsed(text: Buffer): void {
    const event = parse(text);
    if (!event) {
      this.seen.problem = { reason: 'unreadable', field: 'usageMetadata' };
      return;
    }
    const { error, candidates, promptFeedback } = event;
    if (isObject(error)) this.seen.error = { type: textOrNull(error['status']), message: textOrNull(error['message']) };
    const first: unknown = Array.isArray(candidates) ? candidates[0] : undefined;
    const reason = isObject(first) ? textOrNull(first['finishReason']) : null;
    const blocked = isObject(promptFeedback) ? textOrNull(promptFeedback['blockReason']) : null;
    this.seen.stopReason ??= reason ?? blocked;
    this.seen.terminal = this.seen.stopReason !== null;
  }
}

function saysSomething(event: Buffer, words: Buffer): boolean {
  const at = event.indexOf(words);
  return at >= 0 && event[at + words.length] !== QUOTE;
}

function parse(text: Buffer): Json | null {
  try {
    const event: unknown = JSON.parse(text.toString('utf8'));
    return isObject(event) ? event : null;
  } catch {
    return null;
  }
}
