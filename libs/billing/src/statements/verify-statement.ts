import { formatNanos } from '@app/platform';
import { TOKEN_COLUMNS, type TokenClass } from '../pricing/token-counts';
import { hashOf, rateCard, readContent, type RateCard } from '../rates/rate-card';
import { NOTHING, SUMMED } from '../reports/report';
import { sumsView } from '../reports/usage-record';
import { cellsOf, csvRecords, RunningHash, type CsvRecord } from './csv-records';
import { absentPeriod } from './absent-period';
import type { CorrectionChains, CorrectionFinding, LinePlace } from './correction-chains';
import { amountOf, miscalculation, sumsOf, type Cells } from './line-cost';
import { LineMatch } from './line-match';
import { manifestFaults, misnamed, misplaced } from './manifest-faults';
import { statementId } from './statement';
import { DIGEST_HEADER, formOf, lineDigest, type StatementForm } from './statement-line';
import type { StatementCardText, StatementView } from './statement.dto';

/**
 * What is wrong with a statement: a line was `altered`, `missing` or `added`; a line's cost does not follow from its usage
 * (`miscalculated`) or it does not belong here (`misfiled`); a `rate_card`, the `totals` or a `file` as a whole is wrong.
 */
export interface StatementFault {
  readonly kind: 'altered' | 'missing' | 'added' | 'miscalculated' | 'misfiled' | 'rate_card' | 'totals' | 'file';
  /** Of the bill, the header being 1; `null` where there is none. */
  readonly line: number | null;
  readonly requestId: string | null;
  readonly message: string;
}

/** A statement that was not given, and has the lines that some corrections correct. */
export interface AbsentStatement {
  readonly id: string;
  /** Its month. */
  readonly period: string;
  readonly corrections: number;
}

export interface StatementVerdict {
  /** No fault, and nothing left unchecked. */
  readonly ok: boolean;
  readonly id: string;
  /** Lines of the bill as it is. */
  readonly rows: number;
  /** Sum of its costs. */
  readonly cost: string;
  /** Of the cost, as the manifest has it; `null` where no line has a cost. */
  readonly currency: string | null;
  /** Lines whose cost was recomputed from usage and rate card. Quarantined ones are billed as they were found, others as somebody stated. */
  readonly recomputed: number;
  /** Of the bill as it is. */
  readonly sha256: string;
  /** The first thousand, those of lines in the order of the bill. */
  readonly faults: readonly StatementFault[];
  readonly moreFaults: number;
  /** What is missing to recompute all corrections, by month. */
  readonly absent: readonly AbsentStatement[];
  /** Corrections of calls that were billed before the first statement, so that no statement has what they correct. */
  readonly unfounded: number;
}

/** The exported files of a statement. */
export interface StatementExport {
  readonly manifest: StatementView;
  /** Read twice. */
  readonly bill: () => AsyncIterable<string>;
  readonly digests: () => AsyncIterable<string>;
  readonly rateCards: readonly StatementCardText[];
  /** Of the manifest's file, without its end; left out where there is no file. */
  readonly fileName?: string;
  /** Of the folder that the files lie in; likewise. */
  readonly folderName?: string;
}

const MAX_FAULTS = 1_000;

/** The check of one statement among those that are given. */
export class Verification {
  readonly #faults: StatementFault[] = [];
  readonly #absent = new Map<string, AbsentStatement>();
  readonly #cards = new Map<number, RateCard>();
  readonly #lines = new LineMatch(({ number, requestId }) =>
    this.fault('altered', 'was changed after the statement was closed', number, requestId),
  );
  readonly #form: StatementForm;
  readonly #sums: Record<(typeof SUMMED)[number], bigint> = { ...NOTHING };
  readonly #currencies = new Set<string>();
  #rows = 0;
  #lateRows = 0;
  #bytes = 0;
  #recomputed = 0;
  #unfounded = 0;
  #sha256 = '';

  /** @throws RangeError for a schema of a later version; names the statement, because many may be given */
  constructor(private readonly files: StatementExport) {
    const { id, schema } = files.manifest;
    try {
      this.#form = formOf(schema);
    } catch (error) {
      throw new RangeError(`${id}: ${(error as Error).message}`, { cause: error });
    }
  }

  get manifest(): StatementView {
    return this.files.manifest;
  }

  /** Tells the corrections of the bill, so that the lines they correct are kept when they are read. */
  async announce(chains: CorrectionChains<Verification>): Promise<void> {
    for await (const { text } of csvRecords(this.files.bill()))
      // To take every line apart twice would double the time of a bill without corrections.
      if (text.includes(',correction,')) chains.expect(this.cellsOf(text)('corrects_request_id'));
  }

  /** Reads everything, checks all but corrections, and hands those on. */
  async read(chains: CorrectionChains<Verification>): Promise<void> {
    const { manifest, bill, digests } = this.files;
    this.readCards();
    const [billHash, digestsHash] = [new RunningHash(), new RunningHash()];
    const found = csvRecords(bill(), (text) => {
      billHash.add(text);
      this.#bytes += Buffer.byteLength(text);
    });
    const expected = csvRecords(digests(), digestsHash.add);
    // In step, so that neither file is ever held whole.
    for (let isDone = false; !isDone;) {
      const [line, digest] = await Promise.all([found.next(), expected.next()]);
      if (!line.done) this.checkLine(line.value, chains);
      if (!digest.done) this.checkDigest(digest.value);
      isDone = (line.done ?? false) && (digest.done ?? false);
    }
    for (const { requestId } of this.#lines.missing)
      this.fault('missing', 'was in the statement and is not in the bill', null, requestId);
    for (const { number, requestId } of this.#lines.added)
      this.fault('added', 'is in the bill and was not in the statement', number, requestId);

    this.checkTotals();
    this.#sha256 = billHash.hex();
    if (digestsHash.hex() !== manifest.digestsSha256)
      this.fault('file', 'The digests are not those the manifest speaks of: lines may be accused or excused wrongly');
    if (this.#sha256 !== manifest.sha256)
      this.fault('file', 'The bill does not have the SHA-256 of the manifest: lines, their order or its format differ');
  }

  /** @param all the statements that are given */
  checkManifest(all: readonly StatementView[]): void {
    const { fileName = '', folderName = '' } = this.files;
    const names = [misnamed(fileName, this.manifest), misplaced(folderName, this.manifest)];
    for (const message of [...names, ...manifestFaults(this.manifest, all)])
      if (message !== undefined) this.fault('file', message);
  }

  /** @param all the statements that are given */
  judge(
    { number, requestId }: LinePlace<Verification>,
    finding: CorrectionFinding,
    all: readonly StatementView[],
  ): void {
    if (finding.kind === 'recomputed') this.#recomputed += 1;
    if (finding.kind === 'wrong') this.fault('miscalculated', finding.message, number, requestId);
    if (finding.kind !== 'unknown') return;
    const period = absentPeriod(this.manifest, finding.at, all);
    if (period === null) this.#unfounded += 1;
    else if (period === undefined)
      this.fault('miscalculated', `follows ${finding.lacks}, which stands in no statement`, number, requestId);
    else {
      const { corrections = 0 } = this.#absent.get(period) ?? {};
      const id = statementId(period, this.manifest.tenant);
      this.#absent.set(period, { id, period, corrections: corrections + 1 });
    }
  }

  verdict(): StatementVerdict {
    const sorted = this.#faults.sort((a, b) => (a.line ?? Infinity) - (b.line ?? Infinity) || 0);
    const absent = [...this.#absent.values()].sort((a, b) => (a.period < b.period ? -1 : 1));
    return {
      ok: sorted.length === 0 && absent.length === 0,
      id: this.manifest.id,
      rows: this.#rows,
      cost: formatNanos(this.#sums.costNanos),
      currency: this.manifest.currency,
      recomputed: this.#recomputed,
      sha256: this.#sha256,
      faults: sorted.slice(0, MAX_FAULTS),
      moreFaults: Math.max(0, sorted.length - MAX_FAULTS),
      absent,
      unfounded: this.#unfounded,
    };
  }

  private readCards(): void {
    const named = new Map(this.files.manifest.rateCards.map(({ version, sha256 }) => [version, sha256]));
    for (const { version, sha256, document } of this.files.rateCards) {
      const hash = hashOf(document);
      if (named.get(version) !== hash || sha256 !== hash)
        this.fault('rate_card', `Rate card ${version} is not the one the manifest speaks of`);
      else this.#cards.set(version, rateCard(version, hash, readContent(version, document, hash)));
      named.delete(version);
    }
    for (const version of named.keys()) this.fault('rate_card', `Rate card ${version} is missing`);
  }

  private checkDigest({ number, text }: CsvRecord): void {
    if (number === 1) {
      if (`${text}\r\n` !== DIGEST_HEADER) this.fault('file', 'The digests have other columns than they should');
      return;
    }
    const [requestId = '', digest = ''] = cellsOf(text);
    this.#lines.expect({ number, requestId, digest });
  }

  private cellsOf(text: string): Cells {
    const all = cellsOf(text);
    return (column) => all[this.#form.names.indexOf(column)] ?? '';
  }

  private checkLine({ number, text }: CsvRecord, chains: CorrectionChains<Verification>): void {
    if (number === 1) {
      if (`${text}\r\n` !== this.#form.header) this.fault('file', 'The bill has other columns than it should');
      return;
    }
    this.#rows += 1;
    const cells = this.cellsOf(text);
    const requestId = cells('request_id');
    this.#lines.find({ number, requestId, digest: lineDigest(text) });
    const misfiled = this.misfiled(cells);
    if (misfiled) this.fault('misfiled', misfiled, number, requestId);
    if (cells('currency') !== '') this.#currencies.add(cells('currency'));
    const wrong = this.miscalculated(cells);
    if (wrong) this.fault('miscalculated', wrong, number, requestId);
    chains.add({ bill: this, number, requestId }, cells, this.#cards);
  }

  private misfiled(cells: Cells): string | undefined {
    const { tenant, from, to } = this.files.manifest;
    const at = Date.parse(cells('time'));
    if (Number.isNaN(at)) return `has the time "${cells('time')}", which is none`;
    if (at >= Date.parse(to)) return `is of ${cells('time')}, after the statement's end`;
    const isLate = at < Date.parse(from);
    if (isLate) this.#lateRows += 1;
    const isCorrection = cells('status') === 'correction';
    const entry = isCorrection ? 'correction' : isLate ? 'late' : 'usage';
    if (cells('entry') !== entry) return `is called "${cells('entry')}" and is "${entry}"`;
    if (tenant !== null && cells('tenant') !== tenant) return `is of the tenant "${cells('tenant')}"`;
    return undefined;
  }

  private miscalculated(cells: Cells): string | undefined {
    const { costNanos = 0n, ...sums } = sumsOf(cells);
    for (const name of SUMMED) this.#sums[name] += name === 'costNanos' ? costNanos : sums[name];
    if (amountOf(cells('cost')) === undefined) return `has the cost "${cells('cost')}", which is no amount`;
    // Rows that broke a rule are billed at what the ledger found, which digests cover; corrections are judged with what they correct.
    if (cells('status') === 'quarantined' || cells('status') === 'correction') return undefined;
    const wrong = miscalculation(cells, this.#cards);
    if (wrong === undefined) this.#recomputed += 1;
    return wrong;
  }

  private checkTotals(): void {
    const { rows, lateRows, bytes, totals, currency } = this.files.manifest;
    const found = sumsView(this.#sums);
    this.total('lines', this.#rows, rows);
    this.total('late lines', this.#lateRows, lateRows);
    this.total('bytes', this.#bytes, bytes);
    this.total('requests', found.requests, totals.requests);
    this.total('a cost of', found.cost, totals.cost);
    if (this.#currencies.size > 0) this.total('costs in', [...this.#currencies].sort().join(', '), currency ?? 'none');
    for (const [tokenClass, column] of Object.entries(TOKEN_COLUMNS) as [TokenClass, string][])
      if (this.#form.names.includes(column)) this.total(column, found.tokens[tokenClass], totals.tokens[tokenClass]);
    if (!this.#form.names.includes('list_cost')) return;
    this.total('web searches', found.webSearches, totals.webSearches);
    this.total('a cost before markups of', found.listCost, totals.listCost);
  }

  private total(what: string, found: bigint | number | string, closedWith: number | string): void {
    if (String(found) !== String(closedWith))
      this.fault('totals', `The bill has ${what}: ${found}, and was closed with ${closedWith}`);
  }

  private fault(
    kind: StatementFault['kind'],
    message: string,
    line: number | null = null,
    requestId: string | null = null,
  ): void {
    this.#faults.push({ kind, line, requestId, message });
  }
}
