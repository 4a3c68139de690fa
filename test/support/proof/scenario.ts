import type { Chance } from './chance';

/** Everything about one call that is decided before it is made. */
export interface PlannedCall {
  /** By which the caller, the provider and the ledger mean the same call: it is part of the model's name. */
  readonly number: number;
  readonly dialect: 'openai' | 'anthropic';
  readonly stream: boolean;
  /** As the caller names it; ends in what the fake provider shall do. */
  readonly model: string;
  /** Whether the provider reports what it charges, so that the bill must be just that. */
  readonly honest: boolean;
  readonly maxTokens: MaxTokens;
  /** Whom the caller says it acts for; null if it does not say. */
  readonly user: string | null;
  /** When the caller leaves, in ms; null if it stays. */
  readonly leavesAfterMs: number | null;
}

/** Few, so that the worst case of each can be learnt from the gateway itself. */
export const MAX_TOKENS = [100, 400, 1_000] as const;
export type MaxTokens = (typeof MAX_TOKENS)[number];

/** Usage that is missing or absurd, answers that are cut, failures with a status, silence of all kinds. */
const LIES = [
  'n6-u',
  'n6-liehuge',
  'n6-lienegative',
  'n6-lietext',
  'n8-t3',
  'n8-x3',
  'n8-y3',
  'e500',
  'e529',
  'e429',
  'html',
  'nohead',
  'silent',
  'hang',
  'n8-h3',
];

/** Few, so that each of them uses up a budget of its own. */
const USERS = ['ada', 'grace', null] as const;

const SHARE_OF_LIES = 0.15;
const SHARE_THAT_LEAVES = 0.12;
const LONGEST_STAY_MS = 600;

/** Decides one call. */
export function plan(number: number, chance: Chance): PlannedCall {
  const dialect = chance.pick(['openai', 'anthropic'] as const);
  const stream = chance.happens(0.6);
  const maxTokens = chance.pick(MAX_TOKENS);
  const honest = !chance.happens(SHARE_OF_LIES);
  const behaviour = honest ? truth(chance, dialect, stream, maxTokens) : chance.pick(LIES);
  const model = `${dialect === 'anthropic' ? 'claude/' : ''}fake/c${number}/fake-${behaviour}`;
  const leavesAfterMs = chance.happens(SHARE_THAT_LEAVES) ? chance.whole(0, LONGEST_STAY_MS) : null;
  return { number, dialect, stream, model, honest, maxTokens, user: chance.pick(USERS), leavesAfterMs };
}

/** An answer with all classes of tokens, up to nearly all that was held for it. */
function truth(chance: Chance, dialect: PlannedCall['dialect'], stream: boolean, maxTokens: number): string {
  const pieces = chance.whole(2, 30);
  const pace = stream ? `g${chance.whole(1, 40)}` : `l${chance.whole(1, 800)}`;
  const output = chance.whole(Math.max(pieces, Math.floor(maxTokens / 2)), maxTokens);
  const tokens = `i${chance.whole(1, 400)}-c${chance.whole(0, 300)}-o${output}`;
  // Only Anthropic's dialect tells writes to a cache by their lifetime.
  const writes = dialect === 'anthropic' ? `-w${chance.whole(0, 200)}-v${chance.whole(0, 100)}` : '';
  return `n${pieces}-${pace}-${tokens}${writes}`;
}

/** The number in a model's name; undefined for what is no call of a proof. */
export function numberOf(model: string): number | undefined {
  const [, digits] = /(?:^|\/)fake\/c(\d+)\//.exec(model) ?? [];
  return digits === undefined ? undefined : Number(digits);
}
