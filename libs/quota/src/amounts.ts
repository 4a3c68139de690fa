import { formatNanos } from '@app/platform';
import type { Metric } from './windows';

/** What a request uses of each metric, or may: `cost` in nano-units of the rate card's currency, `tokens` of all classes. */
export type Amounts = Readonly<Record<Metric, bigint>>;

export const NOTHING: Amounts = { cost: 0n, tokens: 0n };

/** Of two names none has to be looked up: that takes V8 a hundred instructions, and each call asks some dozen times. */
export const inMetric = (some: Amounts, metric: Metric): bigint => (metric === 'cost' ? some.cost : some.tokens);

/** Amounts computed metric by metric. */
export const amounts = (of: (metric: Metric) => bigint): Amounts => ({ cost: of('cost'), tokens: of('tokens') });

export const isWithin = (some: Amounts, most: Amounts): boolean => some.cost <= most.cost && some.tokens <= most.tokens;

/** Of each metric the smaller. */
export const lesserOf = (one: Amounts, other: Amounts): Amounts =>
  amounts((metric) => (one[metric] < other[metric] ? one[metric] : other[metric]));

export const atLeastZero = (amount: bigint): bigint => (amount > 0n ? amount : 0n);

/** As people and programs read it: a decimal in the currency, or a whole number of tokens. */
export const formatAmount = (metric: Metric, amount: bigint): string =>
  metric === 'cost' ? formatNanos(amount) : String(amount);
