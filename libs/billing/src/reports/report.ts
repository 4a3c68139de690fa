import { createHash } from 'node:crypto';
import { csvHeader, csvLines } from './csv';
import type { Layout } from './layout';
import type { Period } from './period';
import type { Selection } from '../ledger/selection';
import type { Read, Savings, Sums } from './reading';

export const SUMMED = [
  'requests',
  'input',
  'cacheRead',
  'cacheWrite5m',
  'cacheWrite1h',
  'output',
  'reasoning',
  'audioInput',
  'audioOutput',
  'webSearches',
  'listCostNanos',
  'costNanos',
] as const;

/** What a whole report amounts to. */
export interface Totals {
  /** Lines without the header. */
  readonly rows: number;
  readonly bytes: number;
  /** Of the file, header included, hex. */
  readonly sha256: string;
  readonly sums: Sums;
}

/** A report about to be written: the same selection gives the same bytes, whenever it is read. */
export class Report<Row> {
  constructor(
    private readonly layout: Layout<Row>,
    private readonly read: Read,
    readonly selection: Selection,
    readonly currency: string | null,
    private readonly timeZone: string,
  ) {}

  get schema(): string {
    return this.layout.schema;
  }

  get filename(): string {
    const { tenant, from, to } = this.selection;
    const name = this.schema.replace(/\/\d+$/, '');
    return [name, ...(tenant === null ? [] : [tenant]), ...[from, to].map(compact)].join('_') + '.csv';
  }

  /** The file, a batch at a time; nothing is read ahead of what is taken. Returns what it amounted to. */
  async *csv(): AsyncGenerator<string, Totals> {
    const hash = createHash('sha256');
    const sums: Record<(typeof SUMMED)[number], bigint> = { ...NOTHING };
    let [bytes, count] = [0, 0];
    const told = (text: string): string => {
      hash.update(text);
      bytes += Buffer.byteLength(text);
      return text;
    };
    yield told(csvHeader(this.layout.columns));
    for await (const rows of this.layout.batches(this.read, this.selection, this.timeZone)) {
      count += rows.length;
      for (const row of rows) {
        const counted = this.layout.counted(row);
        for (const name of SUMMED) sums[name] += counted[name];
      }
      yield told(csvLines(this.layout.columns, rows));
    }
    return { rows: count, bytes, sha256: hash.digest('hex'), sums };
  }

  /** Writes the file to nowhere and tells what it amounts to. */
  async totals(): Promise<Totals> {
    const csv = this.csv();
    for (;;) {
      const { done, value } = await csv.next();
      if (done) return value;
    }
  }
}

export const NOTHING: Sums = {
  requests: 0n,
  input: 0n,
  cacheRead: 0n,
  cacheWrite5m: 0n,
  cacheWrite1h: 0n,
  output: 0n,
  reasoning: 0n,
  audioInput: 0n,
  audioOutput: 0n,
  webSearches: 0n,
  listCostNanos: 0n,
  costNanos: 0n,
};

export const NOTHING_SAVED: Savings = { cachedRequests: 0n, savedNanos: 0n };

/** `20261101T000000Z`: an instant that may stand in a file name. */
const compact = (at: Period['from']): string => at.toISOString().replace(/[-:]|\.\d+/g, '');
