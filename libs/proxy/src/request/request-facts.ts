import { OWNED_KEYS } from '@app/dialects';
import { KeySet } from '../scan/key-set';
import { type JsonObject, type Member, scanObject } from '../scan/request-scan';
import type { Wire } from '../wire';
import { type Feature, type MediaBlock, SURVEYED_KEYS } from './feature-tables';
import { type SearchTool, survey } from './request-features';
import { explained, Fields, type RequestProblem } from './request-fields';

export type { Feature, MediaBlock } from './feature-tables';
export type { SearchTool } from './request-features';
export type { RequestProblem } from './request-fields';

/** What the gateway must know of a request before it may cost anything; everything else is the provider's to judge. */
export interface RequestFacts {
  readonly wire: Wire;
  /** The model's public name as sent. */
  readonly model: string;
  readonly stream: boolean;
  /** Most output tokens of one choice; null when the request sets no limit. Of several the largest, and 0 before all: any may win. */
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
  /** Whether the provider would keep the answer in the account that all share: the responses API does unless told not to. */
  readonly stores: boolean;
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

export type FactsResult =
  { readonly ok: true; readonly facts: RequestFacts } | { readonly ok: false; readonly problem: RequestProblem };

/** No provider writes more in one answer; a larger limit is a mistake or an attempt to overflow somebody's integer. */
export const MAX_OUTPUT_TOKENS = 2 ** 31 - 1;
/** What OpenAI documents as the most choices of one request. */
export const MAX_CHOICES = 128;

const TIER_KEYS = ['service_tier', 'speed'] as const;
/** They ask for nothing special, or leave the choice to the provider. */
const USUAL_TIERS = new Set(['auto', 'default', 'standard', 'standard_only']);

/** Where a request says how long an answer may be. llama.cpp's server has a name of its own, which goes before the others there. */
export const LIMIT_KEYS: Readonly<Record<Wire, readonly string[]>> = {
  chat: ['max_tokens', 'max_completion_tokens', 'n_predict'],
  responses: ['max_output_tokens'],
  embeddings: [],
  messages: ['max_tokens'],
};

const wanted = (wire: Wire, ...keys: readonly string[]): KeySet =>
  new KeySet(['model', 'stream', ...keys, ...LIMIT_KEYS[wire], ...OWNED_KEYS, ...SURVEYED_KEYS[wire]]);

const WANTED: Readonly<Record<Wire, KeySet>> = {
  chat: wanted('chat', 'n', 'stream_options', 'user', 'safety_identifier'),
  responses: wanted('responses', 'user', 'safety_identifier'),
  embeddings: wanted('embeddings', 'n', 'stream_options', 'user', 'safety_identifier'),
  messages: wanted('messages', 'metadata', 'thinking'),
};

const METADATA_KEYS = new KeySet(['user_id']);
const THINKING_KEYS = new KeySet(['budget_tokens']);
const STREAM_OPTION_KEYS = new KeySet(['include_usage']);

/** Reads the facts from the bytes as sent, or says what keeps it from being priced. Never throws. */
export function readFacts(wire: Wire, body: Buffer): FactsResult {
  const scanned = scanObject(body, WANTED[wire]);
  if (!scanned.ok) return { ok: false, problem: explained(scanned.problem) };
  const { object } = scanned;
  const surveyed = survey(wire, body, object);
  if (!surveyed.ok) return { ok: false, problem: explained(surveyed.problem) };

  const fields = new Fields(body, object);
  const model = fields.model();
  // Vectors come at once, whatever else a request for them says.
  const stream = wire !== 'embeddings' && fields.flag('stream');
  const outputLimitTokens = fields.largest(LIMIT_KEYS[wire], MAX_OUTPUT_TOKENS);
  const choices = wire === 'chat' ? (fields.integer('n', 1, MAX_CHOICES) ?? 1) : 1;
  const usageAsked = wire === 'chat' && fields.innerFlag('stream_options', 'include_usage', STREAM_OPTION_KEYS);
  const thinking = wire === 'messages' ? fields.innerInteger('thinking', 'budget_tokens', THINKING_KEYS) : null;
  const endUser =
    wire === 'messages'
      ? fields.innerString('metadata', 'user_id', METADATA_KEYS)
      : (fields.string('user') ?? fields.string('safety_identifier'));
  const tiers: TierAsked[] = [];
  for (const key of TIER_KEYS) {
    const name = fields.string(key);
    if (name !== null && !USUAL_TIERS.has(name)) tiers.push({ key, name });
  }
  const stores = wire === 'responses' && !isFalse(body, object.members.get('store'));
  if (fields.problem) return { ok: false, problem: fields.problem };

  const { features, media, searches, speaks, declaresTools, knownTools } = surveyed.survey;
  return {
    ok: true,
    facts: {
      wire,
      model,
      stream,
      outputLimitTokens,
      thinkingTokens: thinking ?? 0,
      choices,
      usageAsked,
      endUser,
      stores,
      tiers,
      features,
      media,
      searches,
      speaks,
      declaresTools,
      knownTools,
      ownedKeys: OWNED_KEYS.filter((key) => object.members.has(key) && !(key === 'store' && wire === 'responses')),
      bodyBytes: body.length,
      object,
    },
  };
}

const isFalse = (body: Buffer, member: Member | undefined): boolean =>
  member !== undefined && body.toString('latin1', member.valueStart, member.valueEnd) === 'false';
