import type { AnswerHead } from './answer-head';
import { type Json, saysNothing, type Usage, type UsageProblem, type UsageResult, writesNothing } from './token-counts';

/** The error a provider sent inside a stream that had begun well. */
export interface StreamError {
  readonly type: string | null;
  readonly message: string | null;
  /** The event that told it, where a client is to get the rest of it. */
  readonly event?: Json;
}

/** What a stream told about itself, up to its end or to where it broke off. */
export interface StreamUsage {
  /** The last usage reported; null when there was none that can be trusted, and `problem` says why. */
  readonly usage: Usage | null;
  /** Whether `usage` is the provider's last word. If not, the input holds and the output is what was known then. */
  readonly final: boolean;
  /** Events that brought text, reasoning or arguments. Each is at least one token: a lower bound of the output. */
  readonly deltas: number;
  /** Whether the terminal event (`[DONE]`, `response.completed`, `message_stop`) came. Without it the answer was cut. */
  readonly terminal: boolean;
  /** The first `finish_reason`, or the `stop_reason`. */
  readonly stopReason: string | null;
  readonly error: StreamError | null;
  readonly problem: UsageProblem | null;
  /** Missing where nobody asked for it, or there is none. */
  readonly head?: AnswerHead;
}

/** What was seen of a stream so far, whatever its dialect. */
export class Seen {
  /** The last usage reported, as it was told. */
  usage: Json | null = null;
  usageIsFinal = false;
  /** It was told where the answer began, and its end is not in it yet. */
  usageIsEarly = false;
  deltas = 0;
  terminal = false;
  stopReason: string | null = null;
  error: StreamError | null = null;
  problem: UsageProblem | null = null;

  /** @param result what the usage means; null when there was none */
  conclude(result: UsageResult | null): StreamUsage {
    const { deltas, terminal, stopReason, error } = this;
    const told = result?.ok ? result.usage : null;
    // Some servers put zeros where they do not count yet, or never: such a report tells nothing of an answer that has words.
    const ended = (this.usageIsFinal || terminal) && !this.usageIsEarly;
    const usage = told && saysNothing(told) && !(ended && deltas === 0) ? null : told;
    const refusal = result && !result.ok ? result.problem : null;
    return {
      usage,
      final: usage !== null && ended && !(deltas > 0 && writesNothing(usage)),
      deltas,
      terminal,
      stopReason,
      error,
      problem: usage ? null : (refusal ?? this.problem ?? { reason: 'missing', field: 'usage' }),
    };
  }
}

/** Understands the events of one dialect. Data comes as bounds in a buffer: most events are never made into a string. */
export interface StreamEvents {
  /** Takes one event's data. True for an event that brings the usage and nothing else. */
  data(buffer: Buffer, start: number, end: number): boolean;
  finish(): StreamUsage;
  /** Whether the provider has sent an error. */
  readonly failed: boolean;
}

/** Whether `needle` stands at `at`; the caller has made sure that `at + needle.length` is within the event. */
export function matches(buffer: Buffer, at: number, needle: Buffer): boolean {
  for (let i = 0; i < needle.length; i += 1) {
    if (buffer[at + i] !== needle[i]) return false;
  }
  return true;
}

export const textOrNull = (value: unknown): string | null => (typeof value === 'string' ? value : null);
