/** What becomes of a call in which a rule finds something. */
export const RULE_ACTIONS = ['refuse', 'mask'] as const;
export type RuleAction = (typeof RULE_ACTIONS)[number];

/** Where a rule looks. */
export const RULE_SIDES = ['request', 'answer', 'both'] as const;
export type RuleSide = (typeof RULE_SIDES)[number];

/** A rule as it is stored. Exactly one of `detect`, `pattern` and `words` says what it looks for. */
export interface Rule {
  readonly name: string;
  readonly action: RuleAction;
  readonly on: RuleSide;
  /** Names of built-in detectors and of groups of them. */
  readonly detect?: readonly string[];
  /** An expression in RE2's syntax. */
  readonly pattern?: string;
  readonly words?: readonly string[];
}

/** A header that model calls must bring. Without `values` and `pattern` any value will do. */
export interface RequiredHeader {
  readonly name: string;
  readonly values?: readonly string[];
  readonly pattern?: string;
}

/** A policy as it is stored. */
export interface PolicyContent {
  readonly maxOutputTokens: number | null;
  readonly requiredHeaders: readonly RequiredHeader[];
  readonly rules: readonly Rule[];
  /** What becomes of requests with something in them that rules cannot look into. */
  readonly uninspectable: 'refuse' | 'allow';
}
