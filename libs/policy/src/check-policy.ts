import { CodedError } from '@app/platform';
import { ActivePolicy } from './active-policy';
import { PatternError } from './detect/pattern-syntax';
import type { SetPolicy } from './policy.dto';
import type { PolicyContent, Rule } from './rule';
import { Findings } from './scan/findings';
import { maskOf, Scanner } from './scan/scanner';

/** Headers that say something to the gateway or to a provider already, and therefore are passed on. */
const TAKEN =
  /^(authorization|x-api-key|content-.*|accept.*|host|connection|cookie|user-agent|transfer-encoding|expect|te|trailer|upgrade|anthropic-.*|openai-.*|x-stainless-.*|x-claude-code-.*|x-codex-.*|x-app|originator|session-id|thread-id)$/;

/** A policy as it is stored. @throws CodedError `validation_failed` where it says what cannot be done */
export function checkedPolicy({ maxOutputTokens, requiredHeaders, rules, uninspectable }: SetPolicy): PolicyContent {
  const content: PolicyContent = {
    maxOutputTokens: maxOutputTokens ?? null,
    requiredHeaders: (requiredHeaders ?? []).map(given),
    rules: (rules ?? []).map(given),
    uninspectable: uninspectable ?? 'refuse',
  };
  content.requiredHeaders.forEach(({ name, values, pattern }, i) => {
    const field = `requiredHeaders.${i}`;
    if (TAKEN.test(name)) fail(`${field}.name`, `"${name}" is passed on to providers or means something already.`);
    if (values && pattern !== undefined) fail(field, 'has values and a pattern; give one of them.');
    if (pattern !== undefined) tried(`${field}.pattern`, () => new ActivePolicy({ ...content, rules: [] }));
  });
  unique('requiredHeaders', content.requiredHeaders);
  content.rules.forEach((rule, i) => checkRule(rule, `rules.${i}`));
  unique('rules', content.rules);
  return content;
}

/** Null is as good as nothing. */
const given = <T extends object>(object: T): T =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null && value !== undefined)) as T;

function checkRule(rule: Rule, field: string): void {
  const { name, detect, pattern, words } = rule;
  if ([detect, pattern, words].filter((one) => one !== undefined).length !== 1)
    fail(field, 'must have one of detect, pattern and words.');
  const scanner = tried(`${field}.pattern`, () => new Scanner([{ ...rule, action: 'mask' }]));
  // Answers come back in the next request, masks and all.
  const mask = maskOf(name);
  if (scanner.mask(mask, new Findings()) !== mask)
    fail(`${field}.name`, `is what the rule itself finds; its mask would be "${mask}".`);
}

function unique(field: string, named: readonly { readonly name: string }[]): void {
  const names = named.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) fail(field, `has "${twice}" twice.`);
}

function tried<Result>(field: string, make: () => Result): Result {
  try {
    return make();
  } catch (error) {
    if (error instanceof PatternError) fail(field, `${error.message}.`);
    throw error;
  }
}

function fail(field: string, problem: string): never {
  throw new CodedError('validation_failed', `${field} ${problem}`, { details: { fields: [{ field, problem }] } });
}
