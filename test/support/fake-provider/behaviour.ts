/** A point of an answer: before its status line, after its headers, or after that many generated pieces (deltas). */
export type Moment = 'before-headers' | 'after-headers' | number;

/** How an answer ends too early. `truncate` is a clean end of the HTTP message, so only its content tells. */
export interface Break {
  readonly at: Moment;
  /** `error-event` is for streams: the provider gives up with an error as its last event. */
  readonly how: 'disconnect' | 'truncate' | 'error-event';
}

/** Token counts of one call. `input` is what no cache served, `reasoning` is a part of `output`. */
export interface Tokens {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite5m: number;
  readonly cacheWrite1h: number;
  readonly reasoning: number;
}

/** Legal but unusual ways of writing server-sent events. */
export interface Framing {
  readonly newline?: '\n' | '\r\n' | '\r';
  /** No space after `data:`. */
  readonly tight?: boolean;
  /** Comment lines between the events, as keep-alives. */
  readonly comments?: boolean;
  /** The JSON of one event over several `data:` lines. */
  readonly spread?: boolean;
  /** Cuts the stream every so many bytes, wherever that falls; `all` sends it in a single write. */
  readonly bytesPerWrite?: number | 'all';
}

/** An error answer; what is left out is what the real provider says with that status. */
export interface ErrorAnswer {
  readonly status: number;
  readonly message?: string;
  readonly type?: string;
  readonly code?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ToolCall {
  readonly name: string;
  readonly arguments: unknown;
}

/** What the provider does with one call. Everything left out is what a healthy provider does. */
export interface Behaviour {
  /** Milliseconds of silence before the status line. */
  readonly delayMs?: number;
  /** Generated pieces, one token each; fewer if the request's own output limit is lower. */
  readonly chunks?: number;
  /** Milliseconds before each piece of a stream. */
  readonly gapMs?: number;
  /** The text of one piece. */
  readonly text?: string;
  /** What it thinks before, where it reasons; told by Anthropic's dialect, a few characters at a time. */
  readonly thought?: string;
  /** A tool call in place of text; its arguments arrive in fragments. */
  readonly toolCall?: ToolCall;
  /** Counts that differ from input = a quarter of the body's bytes, output = pieces. */
  readonly tokens?: Partial<Tokens>;
  /** A usage block that is absent, absurd, or overlaid with these fields. The provider's own tally stays true. */
  readonly usage?: 'missing' | 'huge' | 'negative' | 'text' | Readonly<Record<string, unknown>>;
  /** The service tier it says it served the call in; left out: the standard one. */
  readonly serviceTier?: string;
  /** Silence from there on, until the test calls `resume()` on the request: a stall, or a gate. */
  readonly pauseAt?: Moment;
  readonly breakAt?: Break;
  readonly error?: number | ErrorAnswer;
  /** The HTML page of a middlebox, with this status, in place of any answer. */
  readonly html?: number;
  /** Fields and events that no client knows yet. */
  readonly extras?: boolean;
  /** Compresses the answer, if the request accepts gzip. */
  readonly gzip?: boolean;
  readonly framing?: Framing;
}

/** The pieces of an answer for which nobody asked for another number. */
export const DEFAULT_CHUNKS = 20;
export const DEFAULT_TEXT = 'lorem ';

/** Five code points in fourteen bytes, so that cuts of a few bytes split characters. */
export const EMOJI_TEXT = 'ü👩‍🚀 ';
