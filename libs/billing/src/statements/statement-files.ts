import { createHash } from 'node:crypto';
import { dateIn } from '../reports/local-time';
import type { Read } from '../reports/reading';
import { selectDetail } from '../reports/report.queries';
import { NOTHING, SUMMED } from '../reports/report';
import { requestsOf, type DetailRow } from '../reports/usage-record';
import type { StatementFacts, StatementScope } from './statement';
import { DIGEST_HEADER, formOf, STATEMENT_SCHEMA, type StatementForm, type StatementLine } from './statement-line';
import { selectLate } from './statements.queries';

const BATCH = 2_000;

/** The files of a statement, made from the ledger whenever they are wanted: the same scope and schema give the same bytes. */
export class StatementFiles {
  readonly #form: StatementForm;

  constructor(
    private readonly scope: StatementScope,
    private readonly read: Read,
    schema = STATEMENT_SCHEMA,
  ) {
    this.#form = formOf(schema);
  }

  /** The bill as CSV, a batch at a time. */
  async *bill(): AsyncGenerator<string> {
    yield this.#form.header;
    for await (const lines of this.batches()) yield lines.map((line) => this.#form.write(line).bill).join('');
  }

  /** A line for each of the bill's, with its SHA-256. */
  async *digests(): AsyncGenerator<string> {
    yield DIGEST_HEADER;
    for await (const lines of this.batches()) yield lines.map((line) => this.#form.write(line).digest).join('');
  }

  /** Writes both files to nowhere and tells what they amount to. */
  async facts(): Promise<StatementFacts> {
    const { header } = this.#form;
    const [bill, digests] = [createHash('sha256').update(header), createHash('sha256').update(DIGEST_HEADER)];
    const sums: Record<(typeof SUMMED)[number], bigint> = { ...NOTHING };
    const cards = new Set<number>();
    let [bytes, rows, lateRows] = [Buffer.byteLength(header), 0, 0];
    for await (const lines of this.batches())
      for (const line of lines) {
        const written = this.#form.write(line);
        bill.update(written.bill);
        digests.update(written.digest);
        bytes += Buffer.byteLength(written.bill);
        rows += 1;
        if (line.at < this.scope.from) lateRows += 1;
        cards.add(line.rateCard);
        for (const name of SUMMED) sums[name] += name === 'requests' ? requestsOf(line) : line[name];
      }
    return {
      rows,
      lateRows,
      bytes,
      sha256: bill.digest('hex'),
      digestsSha256: digests.digest('hex'),
      rateCards: [...cards].sort((a, b) => a - b),
      sums,
    };
  }

  /** Late lines first: their calls are earlier, so the whole is in the order of the calls. */
  private async *batches(): AsyncGenerator<readonly StatementLine[]> {
    const { scope } = this;
    const { lateAfter } = scope;
    if (lateAfter !== null)
      yield* this.pages((after) => this.read((tx) => selectLate(tx, { ...scope, lateAfter }, after, BATCH)));
    yield* this.pages((after) => this.read((tx) => selectDetail(tx, scope, after, BATCH)));
  }

  private async *pages(
    select: (after: DetailRow | undefined) => Promise<DetailRow[]>,
  ): AsyncGenerator<readonly StatementLine[]> {
    for (let last: DetailRow | undefined; ;) {
      const rows = await select(last);
      if (rows.length > 0) yield rows.map((row) => this.lineOf(row));
      if (rows.length < BATCH) return;
      last = rows.at(-1);
    }
  }

  private lineOf(row: DetailRow): StatementLine {
    const { from, timeZone } = this.scope;
    const entry = row.status === 'correction' ? 'correction' : row.at < from ? 'late' : 'usage';
    return { ...row, entry, month: dateIn(timeZone, row.at).slice(0, 7) };
  }
}
