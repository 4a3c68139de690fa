import {
  EFFORTS,
  type CacheMark,
  type Conversation,
  type Dropped,
  type Effort,
  type OutputFormat,
  type Part,
  type ResultPart,
  type Thinking,
} from './conversation';
import { isSet, record, text, type Json } from './json';
import { OWNED_KEYS } from './owned-keys';
import type { Recall } from './reply';

/** A request as a client's dialect tells it, and what has to be remembered to answer it. */
export interface ReadRequest {
  readonly conversation: Conversation;
  readonly recall: Pick<Recall, 'usageAsked' | 'customTools' | 'namespaced' | 'echo'>;
}

/** The gateway decides these itself; that they go no further is no loss. */
const OWNED = ['model', ...OWNED_KEYS];

/** Names what a request, or a part of it that has a name of its own, has beside the members its reader knows. */
export function dropUnknown(body: Json, known: ReadonlySet<string>, dropped: Dropped, within = ''): void {
  for (const key in body) if (!known.has(key) && isSet(body[key])) dropped.add(within + key);
}

/** A member to be spread: what a client marked for a cache, be it in words of its own API or in Anthropic's. */
export function markOf(holder: Json): { readonly mark?: CacheMark } {
  const control = record(holder['cache_control']);
  if (control) return { mark: { name: 'cache_control', ttl: text(control['ttl']) } };
  return record(holder['prompt_cache_breakpoint']) ? { mark: { name: 'prompt_cache_breakpoint', ttl: undefined } } : {};
}

/** What of a tool's result others know too. */
export function resultParts(parts: readonly Part[], dropped: Dropped): ResultPart['parts'] {
  return parts.filter((part) => {
    const isKnown = part.kind === 'text' || part.kind === 'image' || part.kind === 'document';
    if (!isKnown) dropped.add(`tool_result.${part.kind}`);
    return isKnown;
  });
}

export const knownKeys = (keys: readonly string[]): ReadonlySet<string> => new Set([...OWNED, ...keys]);

/** An effort by its name; `none` is no thinking at all. @param name by which one that nobody knows is told as lost */
export function thinkingOf(effort: unknown, name: string, dropped: Dropped): Thinking | undefined {
  if (effort === 'none') return { kind: 'off' };
  if (EFFORTS.includes(effort as Effort)) return { kind: 'effort', effort: effort as Effort };
  if (isSet(effort)) dropped.add(name);
  return undefined;
}

/**
 * OpenAI's formats: a schema lies in `json_schema` in one of its APIs, and beside the type in the other.
 * @param name by which a format that nobody knows is told as lost
 */
export function openAiFormat(format: Json | undefined, name: string, dropped: Dropped): OutputFormat | undefined {
  if (format?.['type'] === 'json_object') return { kind: 'json' };
  if (format?.['type'] !== 'json_schema') {
    if (format && format['type'] !== 'text') dropped.add(name);
    return undefined;
  }
  const told = record(format['json_schema']) ?? format;
  return {
    kind: 'schema',
    name: text(told['name']) ?? 'answer',
    description: text(told['description']),
    schema: record(told['schema']) ?? {},
    strict: told['strict'] === true,
  };
}

/** A tool that takes free text, as a function with one argument: what every provider understands. */
export const CUSTOM_SCHEMA: Json = {
  type: 'object',
  properties: { input: { type: 'string' } },
  required: ['input'],
  additionalProperties: false,
};

/** The description of a tool for free text with the grammar its text has to follow. */
export function customDescription(tool: Json): string | undefined {
  const format = record(tool['format']) ?? {};
  const grammar = record(format['grammar']) ?? format;
  const definition = text(grammar['definition']);
  const description = text(tool['description']);
  if (definition === undefined) return description;
  return `${description ?? ''}\n\nThe input has to follow this grammar (${text(grammar['syntax']) ?? 'lark'}):\n${definition}`.trimStart();
}
