import { createHash } from 'node:crypto';
import type { CallPart, Conversation, Part, Tool } from './conversation';
import type { ProviderFormat } from './format';

/** What providers take for the name of a function; others fail the request. Those of tools in a server of MCP are long. */
const NAMES: Readonly<Record<ProviderFormat, RegExp>> = {
  chat: /^[\w-]{1,64}$/,
  responses: /^[\w-]{1,64}$/,
  messages: /^[\w-]{1,128}$/,
  gemini: /^[a-z_][\w-]{0,63}$/i,
};

const LONGEST_KEPT = 54;
const DIGEST_DIGITS = 8;

/** The same name for the same tool in each request: its calls in the history have to fit it. */
function nameFor(name: string, to: ProviderFormat): string {
  if (NAMES[to].test(name)) return name;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, DIGEST_DIGITS);
  return `_${name.replace(/[^\w-]/g, '_').slice(0, LONGEST_KEPT)}_${digest}`;
}

export interface NamedConversation {
  readonly conversation: Conversation;
  /** Names of tools as the client knows them, by those that the provider gets instead. */
  readonly clientNames: ReadonlyMap<string, string>;
}

/** Gives tools whose names the provider would refuse others. */
export function withNamesFor(conversation: Conversation, to: ProviderFormat): NamedConversation {
  const clientNames = new Map<string, string>();
  const rename = <T extends Tool | CallPart>(told: T): T => ({ ...told, name: nameFor(told.name, to) });
  for (const { name } of conversation.tools) {
    const given = nameFor(name, to);
    if (given !== name) clientNames.set(given, name);
  }
  const isFine = (part: Part): boolean => part.kind !== 'call' || NAMES[to].test(part.name);
  const turns = conversation.turns.map((turn) =>
    turn.parts.every(isFine)
      ? turn
      : { ...turn, parts: turn.parts.map((part) => (part.kind === 'call' ? rename(part) : part)) },
  );
  const { toolChoice } = conversation;
  return {
    conversation: {
      ...conversation,
      turns,
      tools: clientNames.size > 0 ? conversation.tools.map(rename) : conversation.tools,
      toolChoice: typeof toolChoice === 'object' ? { name: nameFor(toolChoice.name, to) } : toolChoice,
    },
    clientNames,
  };
}
