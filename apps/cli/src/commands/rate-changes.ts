import type { Output } from '../output';
import { printable, type Column } from '../table';
import type { CardCorrections } from './card-corrections';

interface Price {
  readonly model: string;
  readonly input: string;
  readonly output: string;
}

interface Threshold {
  readonly from: number | null;
  readonly to: number | null;
}

interface TierChange {
  readonly aboveTokens?: Threshold;
  readonly prices: readonly {
    readonly tokenClass: string;
    readonly longContext: boolean;
    readonly from: string;
    readonly to: string;
    readonly changePercent: string | null;
  }[];
}

interface ModelChange extends TierChange {
  readonly model: string;
  readonly tiers?: readonly (TierChange & { readonly tier: string })[];
  readonly fees?: readonly {
    readonly fee: string;
    readonly from: string;
    readonly to: string;
    readonly changePercent: string | null;
  }[];
}

interface Exchange {
  readonly from: string;
  readonly rate: string;
}

export interface PriceDiff {
  readonly added: readonly Price[];
  readonly removed: readonly Price[];
  readonly changed: readonly ModelChange[];
  readonly exchange?: { readonly from: Exchange | null; readonly to: Exchange | null };
  readonly markups: readonly { readonly tenant: string; readonly from: string | null; readonly to: string | null }[];
}

export interface ImportReport {
  readonly version: number | null;
  readonly effectiveAt: string;
  readonly endsAt: string | null;
  readonly currency: string;
  readonly models: number;
  readonly diff: PriceDiff & { readonly from: number | null };
  readonly skipped: readonly { readonly model: string; readonly reason: string }[];
  readonly filtered: number;
  readonly unpriced: readonly string[];
  readonly unpricedInUse: readonly string[];
  readonly unknownTenants: readonly string[];
  readonly corrections: CardCorrections | null;
}

/** One price that is not what it was. */
interface Line {
  readonly model: string;
  readonly what: string;
  readonly from?: string | number | null;
  readonly to?: string | number | null;
  readonly change?: string | null;
}

const COLUMNS: readonly Column<Line>[] = [
  { title: 'model', of: (l) => l.model },
  { title: 'what', of: (l) => l.what },
  { title: 'from', of: (l) => l.from, right: true },
  { title: 'to', of: (l) => l.to, right: true },
  { title: 'change %', of: (l) => l.change, right: true },
];

const WORDS: Readonly<Record<string, string>> = {
  input: 'input',
  cacheRead: 'cache read',
  cacheWrite5m: 'write 5m',
  cacheWrite1h: 'write 1h',
  output: 'output',
  reasoning: 'reasoning',
  audioInput: 'audio in',
  audioOutput: 'audio out',
  request: 'request fee',
  webSearch: 'search fee',
};

/** @param value what `--json` prints instead */
export function showDiff(out: Output, diff: PriceDiff, value: unknown): void {
  if (out.json) out.data(value);
  else out.rows(linesOf(diff), COLUMNS, 'No price changes.');
}

/** What holds for all models stands where their names do. */
const ALL = '(all)';

function linesOf({ added, removed, changed, exchange, markups }: PriceDiff): Line[] {
  return [
    ...(exchange ? [{ model: ALL, what: 'exchange rate', from: rateOf(exchange.from), to: rateOf(exchange.to) }] : []),
    ...markups.map(({ tenant, from, to }) => ({ model: ALL, what: `markup %, ${tenant}`, from, to })),
    ...added.flatMap(({ model, input, output }) => [
      { model, what: 'new: input', to: input },
      { model, what: 'new: output', to: output },
    ]),
    ...removed.flatMap(({ model, input, output }) => [
      { model, what: 'gone: input', from: input },
      { model, what: 'gone: output', from: output },
    ]),
    ...changed.flatMap(({ model, tiers = [], fees = [], ...standard }) => [
      ...tierLines(model, standard, ''),
      ...tiers.flatMap(({ tier, ...change }) => tierLines(model, change, `, ${tier}`)),
      ...fees.map(({ fee, from, to, changePercent }) => ({
        model,
        what: WORDS[fee] ?? fee,
        from,
        to,
        change: changePercent,
      })),
    ]),
  ];
}

const tierLines = (model: string, { aboveTokens, prices }: TierChange, tier: string): Line[] => [
  ...(aboveTokens ? [{ model, what: `long prompts above${tier}`, ...aboveTokens }] : []),
  ...prices.map(({ tokenClass, longContext, from, to, changePercent }) => ({
    model,
    what: `${WORDS[tokenClass] ?? tokenClass}${tier}${longContext ? ', long prompts' : ''}`,
    from,
    to,
    change: changePercent,
  })),
];

const rateOf = (exchange: Exchange | null): string | null => exchange && `${exchange.from} ${exchange.rate}`;

/** What no model tells: a file that states no exchange rate or markup takes them away from all. */
function ofAllModels({ exchange, markups }: PriceDiff): string[] {
  const changes = [
    ...(exchange ? [['Exchange rate', rateOf(exchange.from), rateOf(exchange.to)] as const] : []),
    ...markups.map(({ tenant, from, to }) => [`Markup of ${tenant} in percent`, from, to] as const),
  ];
  const more = changes.length - MAX_NAMED;
  return [
    ...changes.slice(0, MAX_NAMED).map(([what, from, to]) => `${what}: ${to ?? 'none'}, and was ${from ?? 'none'}.`),
    ...(more > 0 ? [`Markups that change: ${more} more.`] : []),
  ];
}

/** More would push what matters off the screen. */
const MAX_NAMED = 10;

/** The card that came of it, or of a dry run the changes; then what an administrator should look at. */
export function tellImport(out: Output, report: ImportReport): void {
  const { version, models, currency, effectiveAt, endsAt, diff, skipped, filtered, unpriced } = report;
  const priced = `${models} ${models === 1 ? 'model' : 'models'} in ${currency}`;
  const until = endsAt === null ? '' : ` to ${endsAt}`;
  if (version === null) showDiff(out, diff, report);
  else out.done(report, `Rate card ${version} prices ${priced}, in force from ${effectiveAt}${until}.`);
  if (out.json) return;
  if (version === null) out.remark(`Nothing was imported. The card would price ${priced}.`);
  if (diff.from !== null)
    out.remark(
      `Against card ${diff.from}: ${diff.added.length} added, ${diff.removed.length} removed, ${diff.changed.length} changed.`,
    );
  if (version !== null && diff.from !== null) for (const line of ofAllModels(diff)) out.remark(line);
  if (filtered > 0) out.remark(`${filtered} entries of the file were not asked for.`);
  for (const { model, reason } of skipped.slice(0, MAX_NAMED))
    out.remark(`Not on the card: ${printable(model)} (${printable(reason)}).`);
  if (skipped.length > MAX_NAMED) out.remark(`Not on the card: ${skipped.length - MAX_NAMED} more; --json lists them.`);
  if (report.unpricedInUse.length > 0)
    out.remark(
      `In use within 30 days and without a price on this card: ${report.unpricedInUse.map(printable).join(', ')}.`,
    );
  if (report.unknownTenants.length > 0)
    out.remark(`Marked up on this card, and no tenants yet: ${report.unknownTenants.join(', ')}. Are they mistyped?`);
  const more = unpriced.length > MAX_NAMED ? ` and ${unpriced.length - MAX_NAMED} more` : '';
  if (unpriced.length > 0)
    out.remark(
      `Without a price, so calls of them are refused while it holds: ${unpriced.slice(0, MAX_NAMED).join(', ')}${more}.`,
    );
}
