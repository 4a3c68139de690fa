import { KeySet } from '../key-set';
import { eachElement, kindAt, type Member, membersAt, scanObject } from '../request-scan';
import { usageOfAnthropic } from './anthropic-usage';
import { usageOfOpenAi, usageOfTimings } from './openai-usage';
import type { Usage, UsageProblem, UsageResult } from './token-counts';

export interface WholeUsage {
  /** Null when the answer has no usage that can be trusted; `problem` says why. */
  readonly usage: Usage | null;
  /** `finish_reason` of the first choice, or `stop_reason`. */
  readonly stopReason: string | null;
  readonly problem: UsageProblem | null;
}

const WANTED = new KeySet(['usage', 'choices', 'stop_reason', 'service_tier', 'timings']);
const CHOICE_KEYS = new KeySet(['finish_reason']);

/** Finds the usage in the complete, uncompressed body of an answer without parsing the rest of it. Never throws. */
export function readWholeUsage(dialect: 'openai' | 'anthropic', body: Buffer): WholeUsage {
  const scanned = scanObject(body, WANTED);
  if (!scanned.ok) return { usage: null, stopReason: null, problem: { reason: 'unreadable', field: 'body' } };
  const { members } = scanned.object;
  const valueOf = (member: Member | undefined): unknown =>
    member && (JSON.parse(body.toString('utf8', member.valueStart, member.valueEnd)) as unknown);

  const reason = valueOf(
    dialect === 'openai' ? firstFinishReason(body, members.get('choices')) : members.get('stop_reason'),
  );
  const stopReason = typeof reason === 'string' ? reason : null;
  const told = (key: string): unknown => valueOf(members.get(key)) ?? null;
  const result = dialect === 'openai' ? openAiUsage(told) : anthropicUsage(told('usage'));
  if (result === null) return { usage: null, stopReason, problem: { reason: 'missing', field: 'usage' } };
  return result.ok
    ? { usage: result.usage, stopReason, problem: null }
    : { usage: null, stopReason, problem: result.problem };
}

const anthropicUsage = (usage: unknown): UsageResult | null => (usage === null ? null : usageOfAnthropic(usage));

function openAiUsage(told: (key: string) => unknown): UsageResult | null {
  const usage = told('usage');
  if (usage !== null) return usageOfOpenAi(usage, told('service_tier'));
  const timings = told('timings');
  return timings === null ? null : usageOfTimings(timings);
}

function firstFinishReason(body: Buffer, choices: Member | undefined): Member | undefined {
  let first: Member | undefined;
  if (!choices || kindAt(body, choices.valueStart) !== 'array') return undefined;
  eachElement(body, choices.valueStart, (start) => {
    if (first || kindAt(body, start) !== 'object') return undefined;
    const choice = membersAt(body, start, CHOICE_KEYS);
    if (!choice.ok) return undefined;
    first = choice.object.members.get('finish_reason');
    return choice.object.close + 1;
  });
  return first;
}
