import { KeySet } from '../scan/key-set';
import {
  eachElement,
  type JsonObject,
  kindAt,
  type Member,
  membersAt,
  scanObject,
  valueOf,
} from '../scan/request-scan';
import type { ProviderWire } from '../wire';
import { headAt, type AnswerHead } from './answer-head';
import { usageOfAnthropic } from './anthropic-usage';
import { usageOfGemini } from './gemini-usage';
import { usageOfOpenAi, usageOfResponses, usageOfTimings } from './openai-usage';
import { stopReasonOf } from './response-events';
import { searchesIn } from './response-searches';
import { textOrNull } from './stream-events';
import { isObject, saysNothing, type Usage, type UsageProblem, type UsageResult } from './token-counts';

export interface WholeUsage {
  /** Null when the answer has no usage that can be trusted; `problem` says why. */
  readonly usage: Usage | null;
  /** `finish_reason` of the first choice, or `stop_reason`. */
  readonly stopReason: string | null;
  readonly problem: UsageProblem | null;
  /** The error of a response that failed, and where in the body it stands. */
  readonly failure: FailureTold | null;
  /** Null where nobody asked for it, or there is none. */
  readonly head: AnswerHead | null;
}

export interface FailureTold {
  readonly start: number;
  readonly end: number;
  readonly code: string | null;
  readonly message: string | null;
}

const OPENAI_KEYS = new KeySet(['usage', 'choices', 'service_tier', 'timings']);
const WANTED: Readonly<Record<ProviderWire, KeySet>> = {
  chat: OPENAI_KEYS,
  embeddings: OPENAI_KEYS,
  responses: new KeySet(['usage', 'service_tier', 'status', 'incomplete_details', 'output', 'error']),
  messages: new KeySet(['usage', 'stop_reason']),
  gemini: new KeySet(['usageMetadata', 'candidates']),
};
const CHOICE_KEYS = new KeySet(['finish_reason', 'finishReason']);

/**
 * Finds the usage in the complete, uncompressed body of an answer without parsing the rest of it. Never throws.
 * @param wantsHead whether to look for that too; apart from the usage, so that nothing billed can depend on it
 */
export function readWholeUsage(wire: ProviderWire, body: Buffer, wantsHead = false): WholeUsage {
  const scanned = scanObject(body, WANTED[wire]);
  if (!scanned.ok)
    return { usage: null, stopReason: null, problem: { reason: 'unreadable', field: 'body' }, ...NOTHING_ELSE };
  const { members } = scanned.object;
  const told = (key: string): unknown => {
    const member = members.get(key);
    return member ? valueOf(body, member) : null;
  };

  const found = READ[wire]({ body, members, told });
  const failure = wire === 'responses' ? failureTold(members.get('error'), told('error')) : null;
  const { usage: result, stopReason: reason } = found;
  const stopReason = textOrNull(reason);
  const head = wantsHead ? headAt(wire, body, scanned.object.open) : null;
  const isEmpty = result?.ok === true && saysNothing(result.usage) && stopReason !== REFUSED && failure === null;
  if (result === null || isEmpty)
    return { usage: null, stopReason, problem: { reason: 'missing', field: 'usage' }, failure, head };
  return result.ok
    ? { usage: result.usage, stopReason, problem: null, failure, head }
    : { usage: null, stopReason, problem: result.problem, failure, head };
}

/** Anthropic does not bill a refusal that came before any output, and may say so with zeros. */
const REFUSED = 'refusal';

const NOTHING_ELSE = { failure: null, head: null } as const;

interface Answer {
  readonly body: Buffer;
  readonly members: JsonObject['members'];
  /** The value of a member; null where there is none. */
  readonly told: (key: string) => unknown;
}

interface Found {
  readonly usage: UsageResult | null;
  readonly stopReason: unknown;
}

const ofOpenAi = ({ body, members, told }: Answer): Found => {
  return { usage: openAiUsage(told), stopReason: firstReason(body, members.get('choices'), 'finish_reason') };
};

const READ: Readonly<Record<ProviderWire, (answer: Answer) => Found>> = {
  chat: ofOpenAi,
  embeddings: ofOpenAi,
  responses: ({ body, members, told }) => {
    const usage = told('usage');
    const searches = searchesIn(body, members.get('output'));
    return {
      usage: usage === null ? null : usageOfResponses(usage, told('service_tier'), searches),
      stopReason: stopReasonOf(told('status'), told('incomplete_details')),
    };
  },
  messages: ({ told }) => ({ usage: anthropicUsage(told('usage')), stopReason: told('stop_reason') }),
  gemini: ({ body, members, told }) => {
    const usage = told('usageMetadata');
    return {
      usage: usage === null ? null : usageOfGemini(usage),
      stopReason: firstReason(body, members.get('candidates'), 'finishReason'),
    };
  },
};

const failureTold = (member: Member | undefined, error: unknown): FailureTold | null =>
  member && isObject(error)
    ? {
        start: member.valueStart,
        end: member.valueEnd,
        code: textOrNull(error['code']),
        message: textOrNull(error['message']),
      }
    : null;

const anthropicUsage = (usage: unknown): UsageResult | null => (usage === null ? null : usageOfAnthropic(usage));

function openAiUsage(told: (key: string) => unknown): UsageResult | null {
  const usage = told('usage');
  if (usage !== null) return usageOfOpenAi(usage, told('service_tier'));
  const timings = told('timings');
  return timings === null ? null : usageOfTimings(timings);
}

/** Why the first of several answers ended. */
function firstReason(body: Buffer, choices: Member | undefined, key: string): unknown {
  let first: Member | undefined;
  if (!choices || kindAt(body, choices.valueStart) !== 'array') return undefined;
  eachElement(body, choices.valueStart, (start) => {
    if (first || kindAt(body, start) !== 'object') return undefined;
    const choice = membersAt(body, start, CHOICE_KEYS);
    if (!choice.ok) return undefined;
    first = choice.object.members.get(key);
    return choice.object.close + 1;
  });
  return first && valueOf(body, first);
}
