import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  MinLength,
  ValidateNested,
} from 'class-validator';
import { DETECTOR_NAMES } from './detect/built-in';
import { RULE_ACTIONS, RULE_SIDES, type RuleAction, type RuleSide } from './rule';

const MAX_RULES = 50;
const MAX_HEADERS = 10;
const MAX_WORDS = 500;
const MAX_PATTERN = 500;
const MAX_VALUES = 100;

const RULE_NAME = /^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$/;
/** RFC 9110, section 5.1, in small letters. */
const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]{1,64}$/;
/** Visible ASCII and blanks between: what every client can send. */
const HEADER_VALUE = /^[!-~](?:[ -~]{0,198}[!-~])?$/;

/** A header that model calls must bring. It is for the gateway, and never passed on. */
export class RequiredHeaderDto {
  /**
   * In small letters.
   * @example "x-cost-center"
   */
  @Matches(HEADER_NAME, { message: 'name must be the name of a header in small letters, such as "x-cost-center"' })
  name!: string;

  /**
   * Values it may have. Left out, with no `pattern` either: any.
   * @example ["CC-100", "CC-200"]
   */
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_VALUES)
  @Matches(HEADER_VALUE, { each: true, message: 'each value must be visible ASCII characters' })
  values?: string[];

  /**
   * What its whole value looks like, in RE2's syntax; instead of `values`.
   * @example "CC-[0-9]{3}"
   */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(MAX_PATTERN)
  pattern?: string;
}

/** What must not pass. Exactly one of `detect`, `pattern` and `words` says what the rule looks for. */
export class RuleDto {
  /**
   * Unique in the policy; callers are told it, and where their own pattern or words are masked it stands in the mask.
   * @example "secrets"
   */
  @Matches(RULE_NAME, { message: 'name must be 1 to 64 letters, digits, blanks, ".", "_" or "-"' })
  name!: string;

  /** `refuse` the call, or `mask` what is found: `[email removed]`. */
  @IsIn(RULE_ACTIONS)
  action!: RuleAction;

  /** Where it looks: in what is sent to models, in their answers, or in `both`. */
  @IsIn(RULE_SIDES)
  on!: RuleSide;

  /**
   * Built-in detectors, or groups of them (`secrets`, `personal_data`).
   * @example ["secrets", "iban"]
   */
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayUnique()
  @IsIn(DETECTOR_NAMES, { each: true, message: `each of detect must be one of ${DETECTOR_NAMES.join(', ')}` })
  detect?: string[];

  /**
   * An expression in RE2's syntax, looked for anywhere in a text; `(?i)` at its beginning ignores capitals. A match must have an
   * end: `{1,64}` in place of `*` and `+`, at most 1024 characters in all. No `^`, `$` or looking around; `\b` is there.
   * @example "PRJ-[0-9]{4,6}"
   */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(MAX_PATTERN)
  pattern?: string;

  /**
   * Words and phrases that stand by themselves, whatever their capitals.
   * @example ["Brightwater", "Project Falcon"]
   */
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_WORDS)
  @ArrayUnique()
  @IsString({ each: true })
  @Matches(/^(?!\s)[^\p{Cc}]{1,100}(?<!\s)$/u, { each: true, message: 'each of words must be 1 to 100 characters' })
  words?: string[];
}

/** A whole policy; it takes the place of the one before. */
export class SetPolicy {
  /**
   * The most output tokens of an answer. A call that asks for more, or does not say, gets this limit, and the header
   * `x-openclawmu-output-clamped` on its answer. Left out or null: the model's own.
   * @example 4096
   */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(2 ** 31 - 1)
  maxOutputTokens?: number | null;

  /**
   * Headers that each model call must bring.
   * @example [{ "name": "x-cost-center", "values": ["CC-100", "CC-200"] }]
   */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MAX_HEADERS)
  @ValidateNested({ each: true })
  @Type(() => RequiredHeaderDto)
  requiredHeaders?: RequiredHeaderDto[];

  /**
   * What must not pass, in the order in which it is looked for.
   * @example [{ "name": "secrets", "action": "refuse", "on": "both", "detect": ["secrets"] }, { "name": "people", "action": "mask", "on": "both", "detect": ["email", "iban"] }, { "name": "codenames", "action": "mask", "on": "request", "words": ["Brightwater", "Project Falcon"] }]
   */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MAX_RULES)
  @ValidateNested({ each: true })
  @Type(() => RuleDto)
  rules?: RuleDto[];

  /**
   * What becomes of a request with a picture, a recording, a document that is no text, an address or token ids in it, while a
   * rule looks at requests: nobody can look into those. Left out: `refuse`.
   * @example "refuse"
   */
  @IsOptional()
  @IsIn(['refuse', 'allow'])
  uninspectable?: 'refuse' | 'allow';
}

/** A policy as it stands. */
export class PolicyView {
  maxOutputTokens!: number | null;
  requiredHeaders!: RequiredHeaderDto[];
  rules!: RuleDto[];
  uninspectable!: 'refuse' | 'allow';
  /** When it was set last. */
  updatedAt!: string;
}

/** A rule as those see it whom it concerns. Its words and its pattern may be a secret themselves. */
export class OwnRuleView {
  /** @example "secrets" */
  name!: string;
  action!: RuleAction;
  on!: RuleSide;
  /**
   * Names of built-in detectors and groups; `pattern` or `words` for what is the company's own.
   * @example ["secrets", "iban"]
   */
  detect!: string[];
}

/** What holds for your tenant: its own policy and the one for all tenants together, of each the stricter part. */
export class OwnPolicyView {
  maxOutputTokens!: number | null;
  requiredHeaders!: RequiredHeaderDto[];
  rules!: OwnRuleView[];
  uninspectable!: 'refuse' | 'allow';
}

/** A text to be looked through as a model call would be, without one. */
export class TestPolicy {
  /**
   * Whose policy, together with the one for all tenants. Left out: only the one for all.
   * @example "finance"
   */
  @IsOptional()
  @IsString()
  @MaxLength(64)
  tenant?: string;

  /** A policy that is not set yet, in place of the tenant's. */
  @IsOptional()
  @ValidateNested()
  @Type(() => SetPolicy)
  policy?: SetPolicy;

  /**
   * As what the text is looked through; left out, as a request.
   * @example "request"
   */
  @IsOptional()
  @IsIn(['request', 'answer'])
  on?: 'request' | 'answer';

  /**
   * At most a million characters. It is neither kept nor logged.
   * @example "Write to ann@example.com"
   */
  @IsString()
  @MaxLength(1_000_000)
  text!: string;
}

export class FindingView {
  /** @example "secrets" */
  rule!: string;
  action!: RuleAction;
  /** @example 1 */
  count!: number;
}

export class PolicyTestView {
  /** Whether a call with this text would be refused. */
  refused!: boolean;
  /** What rules found. Of rules that refuse, only the first. */
  findings!: FindingView[];
  /**
   * The text as it would pass; null where it is refused.
   * @example "Write to [email removed]"
   */
  text!: string | null;
}
