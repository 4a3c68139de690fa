import { formatNanos } from '@app/platform';
import { isNothing, STATED, type Difference } from '../corrections/correction';
import type { ModelPrice } from '../pricing/model-price';
import { TOKEN_CLASSES, type TokenCounts } from '../pricing/token-counts';
import type { RateCard } from '../rates/rate-card';
import { ledgerId } from '../reports/usage-record';
import { due, linePrice, serviceTierOf, stateOf, type Cells } from './line-cost';

/** Where a line of a bill stands. */
export interface LinePlace<Bill> {
  readonly bill: Bill;
  readonly number: number;
  readonly requestId: string;
}

/**
 * What became of a correction: recomputed; `stated` by a person, so that its amount follows from nothing; wrong; or
 * `unknown`, because a line it builds on was not given.
 */
export type CorrectionFinding =
  | { readonly kind: 'recomputed' | 'stated' }
  | { readonly kind: 'wrong'; readonly message: string }
  | { readonly kind: 'unknown'; readonly at: Date; readonly lacks: string };

/** A correction has these from the row it corrects. */
const COPIED = [
  'time',
  'tenant',
  'cost_center',
  'token_id',
  'subject',
  'end_user',
  'model',
  'provider',
  'provider_request_id',
  'service_tier',
  'outcome',
] as const;

/** A line as far as corrections need it; cells are not kept, so that a bill is not held whole. */
interface Line<Bill> extends LinePlace<Bill>, Difference {
  readonly copied: readonly string[];
  readonly isCorrection: boolean;
}

interface Correction<Bill> extends Line<Bill> {
  /** The how manyth of its row it is, from 1. */
  readonly ordinal: number;
  readonly at: Date;
  readonly formula: string;
  readonly rateCard: string;
  readonly serviceTier: string | null;
  readonly price: ModelPrice | undefined;
}

/**
 * Recomputes corrections over all bills that were given. A correction is a difference: what its call used after it, which
 * is the row and all corrections up to it added up, costs by the correction's own card and formula what all of them cost
 * together. To be filled in two passes, so that of the bills only corrections and what they correct are held.
 */
export class CorrectionChains<Bill> {
  readonly #rows = new Map<string, Line<Bill> | undefined>();
  readonly #corrections = new Map<string, Correction<Bill>[]>();

  /** First pass: the request that a correction corrects. */
  expect(requestId: string): void {
    this.#rows.set(held(requestId), undefined);
  }

  /** Second pass: every line. */
  add(place: LinePlace<Bill>, cells: Cells, cards: ReadonlyMap<number, RateCard>): void {
    const isCorrection = cells('status') === 'correction';
    if (isCorrection) {
      const corrected = held(cells('corrects_request_id'));
      const corrections = this.#corrections.get(corrected) ?? [];
      this.#corrections.set(corrected, corrections);
      corrections.push(correctionOf(place, cells, cards));
    }
    const { requestId } = place;
    if (this.#rows.has(requestId) && !this.#rows.get(requestId)) this.#rows.set(held(requestId), lineOf(place, cells));
  }

  /** Tells what became of each correction. */
  *findings(): Generator<readonly [place: LinePlace<Bill>, finding: CorrectionFinding]> {
    for (const [corrected, corrections] of this.#corrections)
      yield* chain(corrected, this.#rows.get(corrected), corrections);
  }
}

function* chain<Bill>(
  corrected: string,
  row: Line<Bill> | undefined,
  corrections: readonly Correction<Bill>[],
): Generator<readonly [LinePlace<Bill>, CorrectionFinding]> {
  let [before, after]: [Difference | undefined, Difference | undefined] = [undefined, row];
  let done: Correction<Bill> | undefined;
  for (const correction of [...corrections].sort((a, b) => a.ordinal - b.ordinal)) {
    // The same line stands in the bill of a tenant and in that of the whole gateway.
    const isAgain = done?.requestId === correction.requestId;
    const ordinal = (done?.ordinal ?? 0) + (isAgain ? 0 : 1);
    if (correction.ordinal === ordinal) {
      if (!isAgain) [before, after] = [after, after && sum(after, correction)];
      done = correction;
      yield [correction, check(corrected, row, before, after, correction)];
    } else if (correction.ordinal < ordinal || !Number.isInteger(correction.ordinal))
      yield [correction, wrong(`cannot be correction ${correction.ordinal} of ${corrected}: its id was changed`)];
    else {
      after = undefined;
      yield [correction, unknown(correction, `correction ${ordinal} of ${corrected}`)];
    }
  }
}

function check<Bill>(
  corrected: string,
  row: Line<Bill> | undefined,
  before: Difference | undefined,
  after: Difference | undefined,
  correction: Correction<Bill>,
): CorrectionFinding {
  if (!row || !before || !after) return unknown(correction, corrected);
  if (row.isCorrection) return wrong(`corrects ${corrected}, which is a correction itself`);
  const foreign = COPIED.filter((_, index) => correction.copied[index] !== row.copied[index]);
  if (foreign.length > 0) return wrong(`has another ${foreign.join(', ')} than ${corrected}, which it corrects`);
  const follows = afterwards(after, correction);
  if (typeof follows === 'string') return wrong(`leaves ${corrected} with what ${follows}`);
  for (const [name, what] of [
    ['costNanos', ''],
    ['listCostNanos', ' before the markup'],
  ] as const)
    if (after[name] !== follows[name])
      return wrong(
        `adds ${formatNanos(correction[name])} to ${corrected}${what} and should add ${formatNanos(follows[name] - before[name])}`,
      );
  return { kind: correction.formula === String(STATED) ? 'stated' : 'recomputed' };
}

/** What a call has to cost after a correction, or why that cannot be. */
function afterwards<Bill>(
  after: Difference,
  { formula, price, rateCard, ...correction }: Correction<Bill>,
): Pick<Difference, 'costNanos' | 'listCostNanos'> | string {
  // A stated cost follows from nothing. It is the list's too, unless all was only said to be right as it was.
  if (formula === String(STATED))
    return { ...after, ...(isNothing(correction) ? {} : { listCostNanos: after.costNanos }) };
  const free = { costNanos: 0n, listCostNanos: 0n };
  if (isNothing({ ...after, ...free })) return free;
  if (!price) return `is not priced by rate card "${rateCard}"`;
  const { counts, webSearches } = after;
  return due({ counts, webSearches, serviceTier: correction.serviceTier }, price, formula);
}

function lineOf<Bill>({ bill, number, requestId }: LinePlace<Bill>, cells: Cells): Line<Bill> {
  return {
    ...{ bill, number, requestId: held(requestId) },
    ...stateOf(cells),
    copied: COPIED.map((column) => held(cells(column))),
    isCorrection: cells('status') === 'correction',
  };
}

function correctionOf<Bill>(
  place: LinePlace<Bill>,
  cells: Cells,
  cards: ReadonlyMap<number, RateCard>,
): Correction<Bill> {
  const at = new Date(cells('time'));
  // The id's time is that of the row and a millisecond more for each correction of it.
  const made = parseInt(ledgerId(place.requestId)?.slice(0, 12) ?? '', 16);
  return {
    ...lineOf(place, cells),
    ...{ at, ordinal: made - at.getTime(), price: linePrice(cells, cards) },
    ...{ formula: held(cells('formula')), rateCard: held(cells('rate_card')), serviceTier: serviceTierOf(cells) },
  };
}

const wrong = (message: string): CorrectionFinding => ({ kind: 'wrong', message });
const unknown = <Bill>({ at }: Correction<Bill>, lacks: string): CorrectionFinding => ({ kind: 'unknown', at, lacks });

const sum = (a: Difference, b: Difference): Difference => ({
  counts: Object.fromEntries(
    TOKEN_CLASSES.map((tokenClass) => [tokenClass, a.counts[tokenClass] + b.counts[tokenClass]]),
  ) as unknown as TokenCounts,
  webSearches: a.webSearches + b.webSearches,
  costNanos: a.costNanos + b.costNanos,
  listCostNanos: a.listCostNanos + b.listCostNanos,
});

/** A copy: a piece of a text keeps the whole of it in memory. */
const held = (text: string): string => Buffer.from(text, 'utf8').toString('utf8');
