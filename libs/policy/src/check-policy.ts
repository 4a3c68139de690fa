import { invalidFields, type Fault } from '@app/platform';
import { valueTest } from './detect/pattern-detector';
import { PatternError } from './detect/pattern-syntax';
import type { SetPolicy } from './policy.dto';
import type { PolicyContent, RequiredHeader, Rule } from './rule';
import { Findings } from './scan/findings';
import { maskOf, Scanner } from './scan/scanner';

/** Headers that say something to the gateway or to a provider already, and therefore are passed on. */
const TAKEN =
  /^(authorization|x-api-key|content-.*|accept.*|host|connection|cookie|user-agent|transfer-encoding|expect|te|trailer|upgrade|anthropic-.*|openai-.*|x-stainless-.*|x-claude-code-.*|x-codex-.*|x-app|originator|session-id|thread-id)$/;

/** A policy as it is stored. @throws CodedError `validation_failed` with all it says that cannot be done */
export function checkedPolicy({ maxOutputTokens, requiredHeaders, rules, uninspectable }: SetPolicy): PolicyContent {
  const content: PolicyContent = {
    maxOutputTokens: maxOutputTokens ?? null,
    requiredHeaders: (requiredHeaders ?? []).map(given),
    rules: (rules ?? []).map(given),
    uninspectable: uninspectable ?? 'refuse',
  };
  const faults = [
    ...content.requiredHeaders.flatMap((header, i) => inHeader(header, `requiredHeaders.${i}`)),
    ...repeatedIn('requiredHeaders', content.requiredHeaders),
    ...content.rules.flatMap((rule, i) => inRule(rule, `rules.${i}`)),
    ...repeatedIn('rules', content.rules),
  ];
  if (faults.length > 0) throw invalidFields(faults);
  return content;
}

/** Null is as good as nothing. */
const given = <T extends object>(object: T): T =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null && value !== undefined)) as T;

function inHeader({ name, values, pattern }: RequiredHeader, field: string): Fault[] {
  const faults: Fault[] = [];
  if (TAKEN.test(name))
    faults.push({ field: `${field}.name`, problem: `"${name}" is passed on to providers or means something already` });
  if (values && pattern !== undefined) faults.push({ field, problem: 'has values and a pattern; give one of them' });
  if (pattern === undefined) return faults;
  return [
    ...faults,
    ...tried(`${field}.pattern`, () => {
      valueTest(pattern);
      return [];
    }),
  ];
}

function inRule(rule: Rule, field: string): Fault[] {
  const { name, detect, pattern, words } = rule;
  if ([detect, pattern, words].filter((one) => one !== undefined).length !== 1)
    return [{ field, problem: 'must have one of detect, pattern and words' }];
  return tried(`${field}.pattern`, () => {
    const scanner = new Scanner([{ ...rule, action: 'mask' }]);
    // Answers come back in the next request, masks and all.
    const mask = maskOf(name);
    if (scanner.mask(mask, new Findings()) === mask) return [];
    return [{ field: `${field}.name`, problem: `is what the rule itself finds; its mask would be "${mask}"` }];
  });
}

function repeatedIn(list: string, named: readonly { readonly name: string }[]): Fault[] {
  const names = named.map(({ name }) => name);
  return names.flatMap((name, i) =>
    names.indexOf(name) === i ? [] : [{ field: `${list}.${i}.name`, problem: `is "${name}" a second time` }],
  );
}

/** What is found by making something of a pattern, or what is wrong with that. */
function tried(field: string, find: () => Fault[]): Fault[] {
  try {
    return find();
  } catch (error) {
    if (error instanceof PatternError) return [{ field, problem: error.message }];
    throw error;
  }
}
