import { formatNanos } from '@app/platform';
import { TOKEN_CLASSES, type TokenClass } from '../pricing/token-counts';
import type { Column } from './csv';
import type { Layout } from './layout';
import { dateIn, startOfMonth } from './local-time';
import { weeksOf, type Period } from './period';
import type { Sums } from './reading';
import { selectCharges, type ChargeRow } from './report.queries';

/** What a department is charged for a day's use of one model in one service tier under one rate card. */
export interface Charge extends ChargeRow {
  readonly day: Period;
  /** The calendar month of the day. */
  readonly month: Period;
}

/** Whom the departments' bill comes from. */
const ISSUER = 'OpenClawMU';

/** FOCUS, "Date/Time Format": UTC, whole seconds. Days begin on one. */
const instant = (at: Date): string => at.toISOString().replace('.000Z', 'Z');

const totalTokens = (sums: Sums): bigint => TOKEN_CLASSES.reduce((total, tokenClass) => total + sums[tokenClass], 0n);

const cost = ({ costNanos }: Sums): string => formatNanos(costNanos);

/** FOCUS has "x_" before what is a data generator's own. */
const OWN_TOKENS: readonly (readonly [name: string, tokenClass: TokenClass])[] = [
  ['x_InputTokens', 'input'],
  ['x_AudioInputTokens', 'audioInput'],
  ['x_CacheReadTokens', 'cacheRead'],
  ['x_CacheWrite5mTokens', 'cacheWrite5m'],
  ['x_CacheWrite1hTokens', 'cacheWrite1h'],
  ['x_OutputTokens', 'output'],
  ['x_AudioOutputTokens', 'audioOutput'],
  ['x_ReasoningTokens', 'reasoning'],
];

/**
 * Every mandatory column of the FinOps Open Cost and Usage Specification 1.2 (focus.finops.org), and of the conditional ones
 * those that apply. Unit prices do not: a charge adds up token classes with different prices, and fees.
 */
const columns: readonly Column<Charge>[] = [
  { name: 'BilledCost', cell: cost },
  { name: 'BillingAccountId', cell: () => ISSUER },
  { name: 'BillingAccountName', cell: () => ISSUER },
  { name: 'BillingCurrency', cell: ({ currency }) => currency },
  { name: 'BillingPeriodEnd', cell: ({ month }) => instant(month.to) },
  { name: 'BillingPeriodStart', cell: ({ month }) => instant(month.from) },
  { name: 'ChargeCategory', cell: () => 'Usage' },
  { name: 'ChargeClass', cell: ({ isCorrection }) => (isCorrection ? 'Correction' : null) },
  { name: 'ChargeDescription', text: true, cell: ({ model, provider }) => `${model} by ${provider}` },
  { name: 'ChargeFrequency', cell: () => 'Usage-Based' },
  { name: 'ChargePeriodEnd', cell: ({ day }) => instant(day.to) },
  { name: 'ChargePeriodStart', cell: ({ day }) => instant(day.from) },
  { name: 'ConsumedQuantity', cell: (charge) => String(totalTokens(charge)) },
  { name: 'ConsumedUnit', cell: () => 'Tokens' },
  { name: 'ContractedCost', cell: cost },
  { name: 'EffectiveCost', cell: cost },
  { name: 'InvoiceIssuerName', cell: () => ISSUER },
  { name: 'ListCost', cell: ({ listCostNanos }) => formatNanos(listCostNanos) },
  { name: 'PricingQuantity', cell: (charge) => String(totalTokens(charge)) },
  { name: 'PricingUnit', cell: () => 'Tokens' },
  { name: 'ProviderName', text: true, cell: ({ provider }) => provider },
  { name: 'PublisherName', text: true, cell: ({ provider }) => provider },
  { name: 'ServiceCategory', cell: () => 'AI and Machine Learning' },
  { name: 'ServiceName', cell: () => 'Language model inference' },
  { name: 'ServiceSubcategory', cell: () => 'Generative AI' },
  { name: 'SkuId', text: true, cell: ({ model }) => model },
  { name: 'SubAccountId', text: true, cell: ({ tenant }) => tenant },
  { name: 'SubAccountName', text: true, cell: ({ tenant }) => tenant },
  {
    name: 'Tags',
    cell: ({ costCenter }) => JSON.stringify(costCenter === null ? {} : { cost_center: costCenter }),
  },
  { name: 'x_RateCard', cell: ({ rateCard }) => String(rateCard) },
  { name: 'x_Requests', cell: ({ requests }) => String(requests) },
  { name: 'x_ServiceTier', text: true, cell: ({ serviceTier }) => serviceTier },
  ...OWN_TOKENS.map(([name, tokenClass]): Column<Charge> => ({ name, cell: (charge) => String(charge[tokenClass]) })),
  { name: 'x_WebSearches', cell: ({ webSearches }) => String(webSearches) },
  { name: 'x_CachedRequests', cell: ({ cachedRequests }) => String(cachedRequests) },
  { name: 'x_SavedCost', cell: ({ savedNanos }) => formatNanos(savedNanos) },
];

/** The bill in the columns that tools for cloud costs share. */
export const focus: Layout<Charge> = {
  schema: 'usage-focus-1.2/2',
  columns,
  counted: (charge) => charge,
  async *batches(read, selection, timeZone) {
    for (const { from, to, days } of weeksOf(selection, timeZone)) {
      const rows = await read((tx) => selectCharges(tx, { ...selection, from, to }, days));
      const spans = days.map((day) => ({ day, month: monthOf(timeZone, day.from) }));
      if (rows.length > 0) yield rows.map((row) => ({ ...row, ...(spans[row.day] as (typeof spans)[number]) }));
    }
  },
};

function monthOf(timeZone: string, at: Date): Period {
  const [year = 0, month = 0] = dateIn(timeZone, at).split('-').map(Number);
  return { from: startOfMonth(timeZone, year, month), to: startOfMonth(timeZone, year, month + 1) };
}
