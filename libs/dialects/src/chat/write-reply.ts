import { customInput } from '../custom-input';
import { compact } from '../json';
import type { Logprobs, Recall, Reply, ReplyPart } from '../reply';
import { pack, type Seal } from '../seal';
import { CHAT_STOPS } from './stop';
import { writeChatUsage } from './usage';

/** Writes a whole answer of chat completions. Thoughts stand where servers of open models put them. */
export function writeChatReply(reply: Reply, recall: Recall): Record<string, unknown> {
  const { parts } = reply;
  const said = parts.filter((part) => part.kind === 'text');
  const calls = parts.filter((part) => part.kind === 'call');
  const thoughts = parts.filter((part) => part.kind === 'thinking');
  const spoken = parts.findIndex((part) => part.kind !== 'thinking' && !(part.kind === 'text' && part.text === ''));
  const kept = thoughts.filter((part) => comesBack(part.seal, spoken >= 0 && parts.indexOf(part) > spoken));
  const logprobs = said.flatMap((part) => part.logprobs ?? []);
  return compact({
    id: chatId(reply.id || recall.fallbackId),
    object: 'chat.completion',
    created: recall.createdSeconds,
    model: recall.model,
    choices: [
      {
        index: 0,
        message: compact({
          role: 'assistant',
          content: said.length > 0 ? joined(said) : null,
          refusal: joined(parts.filter((part) => part.kind === 'refusal')) || null,
          reasoning_content: joined(thoughts) || undefined,
          thinking_blocks: kept.some(({ seal }) => seal !== null) ? kept.map(writeThought) : undefined,
          tool_calls: calls.length > 0 ? calls.map((call) => writeCall(call, recall)) : undefined,
        }),
        logprobs: logprobs.length > 0 ? { content: logprobs, refusal: null } : null,
        finish_reason: CHAT_STOPS[reply.stop],
      },
    ],
    usage: reply.usage ? writeChatUsage(reply.usage) : undefined,
  });
}

export const chatId = (id: string): string => (id.startsWith('chatcmpl') ? id : `chatcmpl-${id}`);

const joined = (parts: readonly { readonly text: string }[]): string => parts.map(({ text }) => text).join('');

type Thought = Extract<ReplyPart, { kind: 'thinking' }>;

/**
 * Whether a thought may come back. A message has its thoughts before all else, so one that came behind words or a call would
 * come back in another place, where Anthropic refuses it with the whole request; without it, it takes the rest.
 */
export const comesBack = (seal: Seal | null, isBehind: boolean): boolean =>
  !isBehind || (seal?.from !== 'messages' && seal?.from !== 'redacted');

/** As gateways over several vendors write a signed thought; a client that sends messages back as they came keeps it. */
export const writeThought = ({ text, seal }: Pick<Thought, 'text' | 'seal'>): object => ({
  type: 'thinking',
  thinking: text,
  ...(seal && { signature: pack(seal, 'chat') }),
});

function writeCall({ id, name, args }: Extract<ReplyPart, { kind: 'call' }>, { customTools }: Recall): object {
  if (customTools.has(name)) return { id, type: 'custom', custom: { name, input: customInput(args) } };
  return { id, type: 'function', function: { name, arguments: args } };
}

export const logprobsOf = (logprobs: Logprobs | undefined): object | null =>
  logprobs ? { content: logprobs, refusal: null } : null;
