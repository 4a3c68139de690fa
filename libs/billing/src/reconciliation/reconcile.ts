import { original } from '../reports/csv';
import { linesOf, readProviderExport, type ComparedTokens } from './provider-usage';

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
  /** Of our requests, those billed at their worst case or an estimate: where drift most likely comes from. */
  readonly uncertain: number;
  readonly isDrifting: boolean;
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
 * Compares a provider's usage export with a bill of ours (layout `detail`, or a statement), by day and model.
 * @throws RangeError for files that are neither, naming line and column
 */
export async function reconcile(
  usageExport: AsyncIterable<string>,
  bill: AsyncIterable<string>,
  { provider: named, models = new Map() }: ReconcileOptions = {},
): Promise<Reconciliation[]> {
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
  for await (const { columns, line } of linesOf(bill)) {
    if (!columns.includes('cache_write_1h_tokens') || !columns.includes('status'))
      throw new RangeError('the bill is none of the layout detail and no statement');
    if (original(line.text('provider')) !== (named ?? provider)) continue;
    const written = line.number('cache_write_5m_tokens') + line.number('cache_write_1h_tokens');
    const tally = tallyOf(line.text('time').slice(0, 10), original(line.text('model')));
    tally.ours = sum(tally.ours, {
      input: line.number('input_tokens') + line.number('audio_input_tokens') + (provider === 'openai' ? written : 0),
      cacheRead: line.number('cache_read_tokens'),
      cacheWrite: provider === 'openai' ? 0 : written,
      output: line.number('output_tokens') + line.number('audio_output_tokens') + line.number('reasoning_tokens'),
    });
    tally.ourRequests += 1;
    if (line.text('status') !== 'actual') tally.uncertain += 1;
  }
  return [...tallies].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, tally]) => reconciled(key, tally));
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
