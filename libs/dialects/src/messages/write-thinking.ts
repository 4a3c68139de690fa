import type { Conversation, Dropped, Part, Turn } from '../conversation';
import { budgetOf } from '../thinking';
import type { Claude } from './claude';

/** Anthropic takes no smaller number of tokens for thinking. */
const LEAST_BUDGET = 1_024;

interface Thought {
  readonly config: object | undefined;
  readonly effort?: string | undefined;
  readonly thinks: boolean;
}

export function writeThinking(
  { turns, thinking, toolChoice }: Conversation,
  claude: Claude,
  limit: number,
  dropped: Dropped,
): Thought | undefined {
  // A model that is made to call a tool must not think first.
  const mustCall = toolChoice === 'required' || typeof toolChoice === 'object';
  if (mustCall && thinking && thinking.kind !== 'off') dropped.add('reasoning_effort');
  if (mustCall || thinking?.kind === 'off') return withoutThinking(claude, mustCall, dropped);
  if (!thinking) return undefined;
  if (claude.thinksAdaptively) {
    const effort = thinking.kind === 'effort' ? thinking.effort : undefined;
    // Later models keep their thoughts to themselves unless asked for them.
    const config = { type: 'adaptive', display: 'summarized' };
    return { config, effort: effort === 'minimal' ? 'low' : effort, thinks: true };
  }
  const wanted = thinking.kind === 'budget' ? thinking.tokens : budgetOf(effortWanted(thinking), limit);
  const tokens = Math.min(Math.max(wanted, LEAST_BUDGET), limit - 1);
  if (tokens < LEAST_BUDGET || hasLostThought(turns)) {
    dropped.add('reasoning_effort');
    return undefined;
  }
  return { config: { type: 'enabled', budget_tokens: tokens }, thinks: true };
}

function withoutThinking({ withoutThinking: off }: Claude, mustCall: boolean, dropped: Dropped): Thought | undefined {
  if (off.kind === 'config') return { config: off.config, thinks: false };
  // One that always thinks cannot be made to call a tool either, and says so itself.
  if (off.kind === 'unasked' || mustCall) return undefined;
  dropped.add('reasoning_effort');
  return { config: undefined, effort: 'low', thinks: true };
}

const effortWanted = (thinking: NonNullable<Conversation['thinking']>) =>
  thinking.kind === 'effort' ? thinking.effort : 'medium';

/**
 * With a number of tokens Anthropic wants the thought back with which an answer began that called tools, until the user
 * speaks again. Most clients of other dialects do not bring it, and no other model's can stand in.
 */
function hasLostThought(turns: readonly Turn[]): boolean {
  if (!turns.at(-1)?.parts.some(isResult)) return false;
  const asked = turns.findLastIndex(({ role, parts }) => role === 'user' && !parts.some(isResult));
  const answer = turns.slice(asked + 1).find(({ role }) => role === 'assistant');
  const first = answer?.parts.find((part) => part.kind !== 'thinking' || isOwn(part.seal?.from));
  return first !== undefined && first.kind !== 'thinking';
}

const isResult = ({ kind }: Part): boolean => kind === 'result';
const isOwn = (from: string | undefined): boolean => from === 'messages' || from === 'redacted';
