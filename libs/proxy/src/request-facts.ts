import { KeySet } from './key-set';
import {
  type Dialect,
  type Feature,
  type MediaBlock,
  type SearchTool,
  survey,
  SURVEYED_KEYS,
} from './request-features';
import { type JsonObject, type Member, membersAt, type ScanProblem, type ScanReason, scanObject } from './request-scan';

export type { Dialect, Feature, MediaBlock, SearchTool } from './request-features';

/** What a request asks for: an answer, or the vectors that stand for its texts. */
export type Task = 'answer' | 'embedding';

/** What the gateway must know of a request before it may cost anything; everything else is the provider's to judge. */
export interface RequestFacts {
  readonly dialect: Dialect;
  readonly task: Task;
  /** The model's public name as sent. */
  readonly model: string;
  readonly stream: boolean;
  /** Most output tokens of one choice; null when the request sets no limit. Of two limits the larger: either may win. */
  readonly outputLimitTokens: number | null;
  /** What an Anthropic request sets aside for thinking; its output limit has to be above. */
  readonly thinkingTokens: number;
  /** Answers asked for at once (`n`), each with its own output. */
  readonly choices: number;
  /** Whether the caller itself asked for the usage event at the end of an OpenAI stream. */
  readonly usageAsked: boolean;
  /** Whom the caller says it acts for (`user`, `safety_identifier`, `metadata.user_id`); a claim, not an identity. */
  readonly endUser: string | null;
  readonly declaresTools: boolean;
  readonly knownTools: number;
  readonly features: readonly Feature[];
  readonly media: readonly MediaBlock[];
  readonly searches: readonly SearchTool[];
  /** Whether the answer may be spoken. */
  readonly speaks: boolean;
  /** Service tiers asked for that are not the usual one. */
  readonly tiers: readonly TierAsked[];
  /** Keys present that only the gateway may set; pass them to `editMembers` as `remove`. */
  readonly ownedKeys: readonly string[];
  /** A token is at least one byte: the bytes outside media bound the text tokens of the input. */
  readonly bodyBytes: number;
  /** The scanned body, for `editMembers`. */
  readonly object: JsonObject;
}

/** A wish for a service tier, and the key it stands under. */
export interface TierAsked {
  readonly key: 'service_tier' | 'speed';
  readonly name: string;
}

export interface RequestProblem {
  readonly reason: ScanReason | 'missing' | 'wrong_type' | 'out_of_range';
  /** The request's field at fault, null when it is the body as a whole. */
  readonly field: string | null;
  readonly offset: number;
  /** A sentence for the caller, safe to send. */
  readonly message: string;
}

export type FactsResult =
  { readonly ok: true; readonly facts: RequestFacts } | { readonly ok: false; readonly problem: RequestProblem };

/** No provider writes more in one answer; a larger limit is a mistake or an attempt to overflow somebody's integer. */
export const MAX_OUTPUT_TOKENS = 2 ** 31 - 1;
/** What OpenAI documents as the most choices of one request. */
export const MAX_CHOICES = 128;
const MAX_MODEL_CHARACTERS = 256;

/** Billing tier, residency, and who at the provider is charged: the company decides these once, not each request. */
const OWNED_KEYS = [
  'service_tier',
  'speed',
  'inference_geo',
  'workspace_id',
  'user_profile_id',
  'billing_policy',
  'tags',
  'store',
] as const;

const TIER_KEYS = ['service_tier', 'speed'] as const;
/** They ask for nothing special, or leave the choice to the provider. */
const USUAL_TIERS = new Set(['auto', 'default', 'standard', 'standard_only']);

/** Where a request says how long an answer may be. */
export const LIMIT_KEYS = {
  openai: ['max_tokens', 'max_completion_tokens'],
  anthropic: ['max_tokens'],
} as const satisfies Record<Dialect, readonly string[]>;

const WANTED: Record<Dialect, KeySet> = {
  openai: new KeySet([
    ...['model', 'stream', 'n', 'stream_options', 'user', 'safety_identifier'],
    ...LIMIT_KEYS.openai,
    ...OWNED_KEYS,
    ...SURVEYED_KEYS.openai,
  ]),
  anthropic: new KeySet([
    'model',
    'stream',
    'metadata',
    'thinking',
    ...LIMIT_KEYS.anthropic,
    ...OWNED_KEYS,
    ...SURVEYED_KEYS.anthropic,
  ]),
};

const METADATA_KEYS = new KeySet(['user_id']);
const THINKING_KEYS = new KeySet(['budget_tokens']);
const STREAM_OPTION_KEYS = new KeySet(['include_usage']);

/** Reads the facts from the bytes as sent, or says what keeps it from being priced. Never throws. */
export function readFacts(dialect: Dialect, body: Buffer, task: Task = 'answer'): FactsResult {
  const scanned = scanObject(body, WANTED[dialect]);
  if (!scanned.ok) return { ok: false, problem: explained(scanned.problem) };
  const surveyed = survey(dialect, body, scanned.object);
  if (!surveyed.ok) return { ok: false, problem: explained(surveyed.problem) };

  const fields = new Fields(body, scanned.object);
  const model = fields.model();
  // Vectors come at once, whatever else a request for them says.
  const isAnswer = task === 'answer';
  const stream = isAnswer && fields.flag('stream');
  const limits = (isAnswer ? LIMIT_KEYS[dialect] : []).flatMap(
    (key) => fields.integer(key, 0, MAX_OUTPUT_TOKENS) ?? [],
  );
  const choices = isAnswer && dialect === 'openai' ? (fields.integer('n', 1, MAX_CHOICES) ?? 1) : 1;
  const usageAsked = dialect === 'openai' && fields.innerFlag('stream_options', 'include_usage', STREAM_OPTION_KEYS);
  const thinking = dialect === 'anthropic' ? fields.innerInteger('thinking', 'budget_tokens', THINKING_KEYS) : null;
  const endUser =
    dialect === 'openai'
      ? (fields.string('user') ?? fields.string('safety_identifier'))
      : fields.innerString('metadata', 'user_id', METADATA_KEYS);
  const tiers = TIER_KEYS.flatMap((key) => {
    const name = fields.string(key);
    return name === null || USUAL_TIERS.has(name) ? [] : [{ key, name }];
  });
  if (fields.problem) return { ok: false, problem: fields.problem };

  return {
    ok: true,
    facts: {
      dialect,
      task,
      model,
      stream,
      outputLimitTokens: limits.length > 0 ? Math.max(...limits) : null,
      thinkingTokens: thinking ?? 0,
      choices,
      usageAsked,
      endUser,
      ...surveyed.survey,
      tiers,
      ownedKeys: OWNED_KEYS.filter((key) => scanned.object.members.has(key)),
      bodyBytes: body.length,
      object: scanned.object,
    },
  };
}

/** Typed reads of scanned members. The first problem stays; null means unset in the dialects, as absence does. */
class Fields {
  problem: RequestProblem | null = null;

  constructor(
    private readonly body: Buffer,
    private readonly object: JsonObject,
  ) {}

  model(): string {
    const member = this.object.members.get('model');
    const model = this.read(member);
    if (model === undefined || model === null) this.fail('missing', 'model', this.object.open, 'is required.');
    else if (typeof model !== 'string') this.fail('wrong_type', 'model', member!.valueStart, 'must be a string.');
    else if (model.length === 0 || model.length > MAX_MODEL_CHARACTERS) {
      this.fail('out_of_range', 'model', member!.valueStart, `must have 1 to ${MAX_MODEL_CHARACTERS} characters.`);
    } else return model;
    return '';
  }

  flag(key: string): boolean {
    const member = this.object.members.get(key);
    const value = this.read(member);
    if (value === true) return true;
    if (value !== undefined && value !== null && value !== false) {
      this.fail('wrong_type', key, member!.valueStart, 'must be true or false.');
    }
    return false;
  }

  integer(key: string, least: number, most: number): number | null {
    const member = this.object.members.get(key);
    const value = this.read(member);
    if (value === undefined || value === null) return null;
    if (typeof value !== 'number') this.fail('wrong_type', key, member!.valueStart, 'must be a whole number.');
    else if (!Number.isInteger(value) || value < least || value > most) {
      this.fail('out_of_range', key, member!.valueStart, `must be a whole number from ${least} to ${most}.`);
    } else return value;
    return null;
  }

  /** A string, or null: whatever else is there is no money matter. */
  string(key: string): string | null {
    const value = this.read(this.object.members.get(key));
    return typeof value === 'string' && value !== '' ? value : null;
  }

  innerString(outer: string, key: string, wanted: KeySet): string | null {
    const value = this.read(this.inner(outer, wanted)?.get(key));
    return typeof value === 'string' && value !== '' ? value : null;
  }

  /** A number from 0, or null: what else a provider makes of it is its own matter. */
  innerInteger(outer: string, key: string, wanted: KeySet): number | null {
    const value = this.read(this.inner(outer, wanted)?.get(key));
    return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : null;
  }

  innerFlag(outer: string, key: string, wanted: KeySet): boolean {
    return this.read(this.inner(outer, wanted)?.get(key)) === true;
  }

  private inner(outer: string, wanted: KeySet): JsonObject['members'] | undefined {
    const member = this.object.members.get(outer);
    if (!member || this.body[member.valueStart] !== 0x7b) return undefined;
    const result = membersAt(this.body, member.valueStart, wanted);
    if (result.ok) return result.object.members;
    this.problem ??= explained(result.problem);
    return undefined;
  }

  private read(member: Member | undefined): unknown {
    return member && (JSON.parse(this.body.toString('utf8', member.valueStart, member.valueEnd)) as unknown);
  }

  private fail(reason: RequestProblem['reason'], field: string, offset: number, rule: string): void {
    this.problem ??= { reason, field, offset, message: `${field} ${rule}` };
  }
}

const EXPLANATIONS: Record<ScanReason, (problem: ScanProblem) => string> = {
  empty: () => 'The request body is empty; a JSON object is expected.',
  not_an_object: () => 'The request body must be a JSON object.',
  malformed: ({ offset }) => `The request body is not valid JSON (at byte ${offset}).`,
  invalid_utf8: ({ offset }) => `The request body is not valid UTF-8 (at byte ${offset}).`,
  duplicate_key: ({ key, offset }) => `${key} is given twice (again at byte ${offset}); send it once.`,
  ambiguous_key: ({ offset }) =>
    `The key at byte ${offset} differs from a known parameter only by its letters' case; spell it in lower case.`,
  too_deep: ({ offset }) => `The request body is nested too deeply (at byte ${offset}).`,
  trailing_garbage: ({ offset }) => `The request body goes on after its JSON object (at byte ${offset}).`,
};

function explained(problem: ScanProblem): RequestProblem {
  const { reason, offset, key } = problem;
  return { reason, field: key ?? null, offset, message: EXPLANATIONS[reason](problem) };
}
