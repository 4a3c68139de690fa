import { createHash } from 'node:crypto';
import type { CacheMark, Conversation, Dropped, OutputFormat, Part, TextPart, Turn } from './conversation';
import { parseExact } from './exact-json';
import { append, type Json } from './json';

/** What a request is written for. */
export interface Target {
  /** The name the provider knows the model by. */
  readonly model: string;
  /** Most tokens of an answer: a higher limit is lowered, and a provider that wants a limit gets this one for none. */
  readonly outputLimit: number;
  /** Which of its two limits a server of chat completions takes; OpenAI's own models want the newer one. */
  readonly chatLimit: 'max_tokens' | 'max_completion_tokens';
  /** Whether the server may refuse a system message behind others, as the templates of many open models do. */
  readonly systemFirst: boolean;
}

/** Settings that a dialect may lack, by the name a loss is told under. */
const SETTINGS = {
  topK: 'top_k',
  seed: 'seed',
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
  logprobs: 'logprobs',
  stop: 'stop',
  endUser: 'user',
} as const satisfies Partial<Record<keyof Conversation, string>>;

/** Names those of the settings that were made and that the dialect lacks. */
export function dropSettings(
  conversation: Conversation,
  lacking: readonly (keyof typeof SETTINGS)[],
  dropped: Dropped,
): void {
  for (const key of lacking) {
    const value = conversation[key];
    if (value !== undefined && !(Array.isArray(value) && value.length === 0)) dropped.add(SETTINGS[key]);
  }
}

/** Names what was marked for a cache that the provider has no marks for; it keeps prompts by itself. */
export function dropMarks({ turns, tools, mark }: Conversation, dropped: Dropped): void {
  const note = ({ mark: told }: { readonly mark?: CacheMark }): void => void (told && dropped.add(told.name));
  const notePart = (part: Part): void => {
    if ('mark' in part) note(part);
    if (part.kind === 'result') part.parts.forEach(notePart);
  };
  if (mark) note({ mark });
  tools.forEach(note);
  for (const { parts } of turns) parts.forEach(notePart);
}

/** The system's words before anybody else spoke, and the turns from then on. */
export function splitSystem(turns: readonly Turn[]): { system: TextPart[]; rest: readonly Turn[] } {
  const first = turns.findIndex(({ role }) => role !== 'system');
  const at = first < 0 ? turns.length : first;
  return { system: turns.slice(0, at).flatMap(({ parts }) => parts.filter(isText)), rest: turns.slice(at) };
}

/** Turns of one role that follow each other, as one: some dialects and many templates want them to alternate. */
export function merged(turns: readonly Turn[]): Turn[] {
  const out: { role: Turn['role']; parts: Part[] }[] = [];
  for (const { role, parts } of turns) {
    const last = out.at(-1);
    if (last?.role === role) append(last.parts, parts);
    else out.push({ role, parts: [...parts] });
  }
  return out;
}

export const isText = (part: Part): part is TextPart => part.kind === 'text';

/** OpenAI refuses arguments that are no object, or one of which it is not said what it has. */
export const objectSchema = (schema: Json): Json =>
  'properties' in schema && schema['type'] === 'object' ? schema : { type: 'object', properties: {}, ...schema };

/** The schema of a format where that has no room for its description elsewhere. */
export const described = ({ description, schema }: Extract<OutputFormat, { kind: 'schema' }>): Json =>
  description === undefined || 'description' in schema ? schema : { description, ...schema };

/** Arguments of a call as the object that some dialects want; what is no object is kept under a name of its own. */
export function argsObject(args: string): unknown {
  if (args.trim() === '') return {};
  try {
    const parsed: unknown = parseExact(args);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed;
  } catch {
    // kept as it is
  }
  return { arguments: args };
}

/** OpenAI refuses longer names of a caller's user, and asks for hashes anyway. Claude Code's are 200 characters of JSON. */
const LONGEST_USER = 64;
/** Anthropic refuses what looks like an address or a telephone number. */
const OPAQUE = /^(?=.*[a-z])[\w-]{1,256}$/i;

export const shortUser = (user: string): string => (user.length <= LONGEST_USER ? user : hashed(user));
export const opaqueUser = (user: string): string => (OPAQUE.test(user) ? user : hashed(user));

/** The same for the same user, and 64 characters of it. */
const hashed = (user: string): string => createHash('sha256').update(user).digest('hex');
