import { createHash } from 'node:crypto';
import { valueTest } from './detect/pattern-detector';
import type { PolicyContent, RequiredHeader, Rule } from './rule';
import { Scanner } from './scan/scanner';

/** A header that must be there, and what is wanted of it, in words for the caller. */
export interface HeaderDemand {
  readonly name: string;
  readonly wanted: string;
  readonly accepts: (value: string) => boolean;
}

/** A policy made ready to be applied. */
export class ActivePolicy {
  readonly maxOutputTokens: number | null;
  readonly headers: readonly HeaderDemand[];
  /** Null where no rule looks at requests. */
  readonly request: Scanner | null;
  /** Null where no rule looks at answers. */
  readonly answer: Scanner | null;
  readonly allowsUninspectable: boolean;
  /** Of what it says: an answer that was kept under another policy is not one of this. */
  readonly fingerprint: string;

  /** @throws PatternError for a pattern that cannot be searched for */
  constructor(content: PolicyContent) {
    const { maxOutputTokens, requiredHeaders, rules, uninspectable } = content;
    this.fingerprint = createHash('sha256').update(JSON.stringify(content)).digest('hex');
    this.maxOutputTokens = maxOutputTokens;
    this.headers = requiredHeaders.map(demand);
    this.request = scannerOf(rules.filter(({ on }) => on !== 'answer'));
    this.answer = scannerOf(rules.filter(({ on }) => on !== 'request'));
    this.allowsUninspectable = uninspectable === 'allow';
  }
}

const scannerOf = (rules: readonly Rule[]): Scanner | null => (rules.length === 0 ? null : new Scanner(rules));

function demand({ name, values, pattern }: RequiredHeader): HeaderDemand {
  if (pattern !== undefined) return { name, wanted: `a value like ${pattern}`, accepts: valueTest(pattern) };
  if (values === undefined) return { name, wanted: 'a value', accepts: (value) => value !== '' };
  return { name, wanted: `one of ${values.join(', ')}`, accepts: (value) => values.includes(value) };
}

/**
 * Both policies at once: the lower limit, the headers and rules of both. What cannot be inspected passes only where each of them that
 * has a rule for requests lets it pass.
 */
export function together(all: PolicyContent, own: PolicyContent): PolicyContent {
  const limits = [all, own].flatMap(({ maxOutputTokens }) => (maxOutputTokens === null ? [] : [maxOutputTokens]));
  const inspecting = [all, own].filter(({ rules }) => rules.some(({ on }) => on !== 'answer'));
  const isAllowed = inspecting.every(({ uninspectable }) => uninspectable === 'allow');
  return {
    maxOutputTokens: limits.length === 0 ? null : Math.min(...limits),
    requiredHeaders: [...all.requiredHeaders, ...own.requiredHeaders],
    rules: [...all.rules, ...own.rules],
    uninspectable: isAllowed ? 'allow' : 'refuse',
  };
}
