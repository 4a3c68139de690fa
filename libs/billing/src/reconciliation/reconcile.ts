import { isRepricing } from '../corrections/undecided';
import { CACHED } from '../ledger/ledger-row';
import { original } from '../reports/csv';
import {
  linesOf,
  readProviderExport,
  type ComparedTokens,
  type DayUse,
  type Line,
  type ProviderExport,
} from './provider-usage';

/** A day's use of one model as the provider and the gateway count it. */
export interface Reconciliation {
  /** In UTC. */
  readonly day: string;
  readonly model: string;
  readonly ours: ComparedTokens;
  readonly theirs: ComparedTokens;
  /** Ours minus theirs. */
  readonly drift: ComparedTokens;
  readonly ourRequests: number;
  /** `null` where the provider does not tell. */
  readonly theirRequests: number | null;
  /** Of our requests, those billed at their worst case or an estimate that nobody has corrected: where drift most likely comes from. */
  readonly uncertain: number;
  readonly isDrifting: boolean;
}

export interface ReconciledBills {
  readonly days: readonly Reconciliation[];
  /** Corrections of calls that are in none of the bills: left out, because a difference alone is no use of any day. */
  readonly strayCorrections: number;
}

export interface ReconcileOptions {
  /** The provider's name in the gateway's configuration; that of the export's maker if left out. */
  readonly provider?: string | undefined;
  /** The provider's name of a model → ours, where they differ by more than a date. */
  readonly models?: ReadonlyMap<string, string> | undefined;
}

const NONE: ComparedTokens = { input: 0, cacheRead: 0, cacheWrite: 0, output: 0 };
const TOKENS = ['input', 'cacheRead', 'cacheWrite', 'output'] as const;

/** `gpt-4o-2024-08-06` and `claude-sonnet-4-20250514` are versions of what callers ask for without the date. */
const undated = (model: string): string => model.replace(/-(\d{4}-\d\d-\d\d|\d{8})$/, '');

interface Tally {
  ours: ComparedTokens;
  theirs: ComparedTokens;
  ourRequests: number;
  theirRequests: number | null;
  uncertain: number;
}

/**
 * Compares a provider's usage export with bills of ours (layout `detail`, or statements), by day and model. A correction
 * counts on the day of the call that it corrects, whichever of the bills has it: the provider counts a call once, and then
 * rightly.
 * @param bills each can be read more than once
 * @throws RangeError for files that are neither, naming line and column
 */
export async function reconcile(
  usageExport: AsyncIterable<string>,
  bills: readonly (() => AsyncIterable<string>)[],
  { provider: named, models = new Map() }: ReconcileOptions = {},
): Promise<ReconciledBills> {
  const { provider, uses } = await readProviderExport(usageExport);
  const tallies = new Map<string, Tally>();
  const tallyOf = (day: string, model: string): Tally => {
    const key = `${day} ${undated(model)}`;
    const tally = tallies.get(key) ?? { ours: NONE, theirs: NONE, ourRequests: 0, theirRequests: null, uncertain: 0 };
    tallies.set(key, tally);
    return tally;
  };
  for (const use of uses) {
    const tally = tallyOf(use.day, models.get(use.model) ?? use.model);
    tally.theirs = sum(tally.theirs, use);
    if (use.requests !== null) tally.theirRequests = (tally.theirRequests ?? 0) + use.requests;
  }
  const ours = named ?? provider;
  const corrections: Correction[] = [];
  for await (const line of billLines(bills, ours))
    if (isCorrection(line)) corrections.push(correctionIn(line, provider));
  // What another rate card made of a call leaves the doubt about its usage as it was.
  const decided = new Set(corrections.filter((each) => !each.isRepricing).map((each) => each.corrected));
  const corrected = new Set(corrections.map((each) => each.corrected));
  const billed = new Set<string>();
  const once = bills.length > 1 ? oncePerRequest() : () => undefined;
  for await (const line of billLines(bills, ours)) {
    once(line.text('request_id'));
    if (isCorrection(line) || isAnsweredHere(line)) continue;
    const use = ourUse(line, provider);
    const tally = tallyOf(use.day, use.model);
    tally.ours = sum(tally.ours, use);
    tally.ourRequests += 1;
    const id = line.text('request_id');
    if (corrected.has(id)) billed.add(id);
    if (!decided.has(id) && line.text('status') !== 'actual') tally.uncertain += 1;
  }
  const known = corrections.filter((each) => billed.has(each.corrected));
  for (const { use } of known) {
    const tally = tallyOf(use.day, use.model);
    tally.ours = sum(tally.ours, use);
  }
  return {
    days: [...tallies].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, tally]) => reconciled(key, tally)),
    strayCorrections: corrections.length - known.length,
  };
}

/** A tenant's statement and the whole gateway's have the same lines; added up, they would count everything twice. */
function oncePerRequest(): (id: string) => void {
  const seen = new Set<string>();
  return (id) => {
    if (seen.has(id)) throw new RangeError(`the request ${id} stands in two of the bills, and would count twice`);
    seen.add(id);
  };
}

const isCorrection = ({ text }: Line): boolean => text('status') === 'correction';

/** The response cache had the answer, so the provider knows nothing of the call. */
const isAnsweredHere = ({ text }: Line): boolean => text('status') === 'actual' && text('reason') === CACHED;

interface Correction {
  readonly corrected: string;
  readonly use: DayUse;
  readonly isRepricing: boolean;
}

const correctionIn = (line: Line, provider: ProviderExport['provider']): Correction => ({
  corrected: line.text('corrects_request_id'),
  use: ourUse(line, provider),
  isRepricing: isRepricing(line.text('rate_card'), original(line.text('reason'))),
});

/** The lines of our bills for one provider. */
async function* billLines(bills: readonly (() => AsyncIterable<string>)[], provider: string): AsyncGenerator<Line> {
  for (const bill of bills)
    for await (const { columns, line } of linesOf(bill())) {
      if (!columns.includes('cache_write_1h_tokens') || !columns.includes('status'))
        throw new RangeError('the bill is none of the layout detail and no statement');
      if (original(line.text('provider')) === provider) yield line;
    }
}

/** What a line of ours counts for as its provider counts; only a correction may take something back. */
function ourUse(line: Line, provider: ProviderExport['provider']): DayUse {
  const number = isCorrection(line) ? line.signed : line.number;
  const written = number('cache_write_5m_tokens') + number('cache_write_1h_tokens');
  return {
    day: line.text('time').slice(0, 10),
    model: original(line.text('model')),
    requests: null,
    input: number('input_tokens') + number('audio_input_tokens') + (provider === 'openai' ? written : 0),
    cacheRead: number('cache_read_tokens'),
    cacheWrite: provider === 'openai' ? 0 : written,
    output: number('output_tokens') + number('audio_output_tokens') + number('reasoning_tokens'),
  };
}

function reconciled(key: string, tally: Tally): Reconciliation {
  const drift = difference(tally.ours, tally.theirs);
  return {
    day: key.slice(0, 10),
    model: key.slice(11),
    ...tally,
    drift,
    isDrifting: TOKENS.some((name) => drift[name] !== 0),
  };
}

const sum = (a: ComparedTokens, b: ComparedTokens): ComparedTokens => ({
  input: a.input + b.input,
  cacheRead: a.cacheRead + b.cacheRead,
  cacheWrite: a.cacheWrite + b.cacheWrite,
  output: a.output + b.output,
});

const difference = (a: ComparedTokens, b: ComparedTokens): ComparedTokens => ({
  input: a.input - b.input,
  cacheRead: a.cacheRead - b.cacheRead,
  cacheWrite: a.cacheWrite - b.cacheWrite,
  output: a.output - b.output,
});
