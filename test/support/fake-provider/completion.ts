import { type Behaviour, DEFAULT_CHUNKS, DEFAULT_TEXT, type Tokens } from './behaviour';
import type { Dialect } from './dialect';
import type { ReceivedRequest } from './received-request';

/** An answer as the model generated it, before a dialect writes it down. */
export interface Completion {
  readonly id: string;
  readonly model: string;
  /** How many alternatives were asked for (OpenAI's `n`); each has all the pieces. */
  readonly choices: number;
  /** In pieces; left out: a usual one. */
  readonly thought: readonly string[] | undefined;
  readonly pieces: readonly string[];
  /** The tool being called; then the pieces are fragments of its arguments. */
  readonly tool: string | undefined;
  readonly hitLimit: boolean;
  readonly tokens: Tokens;
  readonly serviceTier: string | undefined;
  readonly extras: boolean;
}

const FRAGMENT_LENGTH = 6;

/** Generates the answer: the same request and behaviour always give the same pieces and tokens. */
export function complete(request: ReceivedRequest, dialect: Dialect, behaviour: Behaviour): Completion {
  const { chunks = DEFAULT_CHUNKS, text = DEFAULT_TEXT, toolCall } = behaviour;
  const wanted = toolCall ? fragments(JSON.stringify(toolCall.arguments)) : Array<string>(chunks).fill(text);
  const reasoning = behaviour.tokens?.reasoning ?? 0;
  const limit = dialect.outputLimit(request.json) ?? Infinity;
  const pieces = wanted.slice(0, Math.max(0, limit - reasoning));
  const choices = dialect.choices(request.json);
  const tokens: Tokens = {
    input: Math.ceil(request.body.length / 4),
    output: pieces.length * choices + reasoning,
    cacheRead: 0,
    cacheWrite5m: 0,
    cacheWrite1h: 0,
    reasoning,
    ...behaviour.tokens,
  };
  return {
    id: request.requestId.replace('req_', ''),
    model: request.model,
    choices,
    thought: behaviour.thought === undefined ? undefined : fragments(behaviour.thought),
    pieces,
    tool: toolCall?.name,
    hitLimit: pieces.length < wanted.length,
    tokens,
    serviceTier: behaviour.serviceTier,
    extras: behaviour.extras ?? false,
  };
}

/** The usage block as the provider reports it: as it is, absent, or a lie. */
export function reported(
  usage: Record<string, unknown>,
  report: Behaviour['usage'],
): Record<string, unknown> | undefined {
  if (report === 'missing') return undefined;
  if (report === undefined) return usage;
  if (typeof report === 'object') return { ...usage, ...report };
  return distort(usage, LIES[report]);
}

const LIES = {
  huge: () => 1e21,
  negative: (count: number) => -1 - count,
  text: (count: number) => String(count),
} as const;

function distort(usage: object, lie: (count: number) => unknown): Record<string, unknown> {
  const lied = Object.entries(usage).map(([name, value]: [string, unknown]) => {
    if (typeof value === 'number') return [name, lie(value)];
    return [name, typeof value === 'object' && value !== null ? distort(value, lie) : value];
  });
  return Object.fromEntries(lied) as Record<string, unknown>;
}

function fragments(text: string): string[] {
  const points = Array.from(text);
  const count = Math.ceil(points.length / FRAGMENT_LENGTH);
  return Array.from({ length: count }, (_, i) => points.slice(i * FRAGMENT_LENGTH, (i + 1) * FRAGMENT_LENGTH).join(''));
}
