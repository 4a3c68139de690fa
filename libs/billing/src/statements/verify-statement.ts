import { formatNanos, parseNanos } from '@app/platform';
import { cost, FORMULAS, priceOf } from '../pricing/pricing';
import { isTokenCount, NO_TOKENS, TOKEN_CLASSES, type TokenClass } from '../pricing/token-counts';
import { NO_USAGE } from '../pricing/usage';
import { hashOf, rateCard, readContent, type RateCard } from '../rates/rate-card';
import { original } from '../reports/csv';
import { cellsOf, csvRecords, RunningHash, type CsvRecord } from './csv-records';
import { LineMatch } from './line-match';
import { DIGEST_HEADER, lineDigest, STATEMENT_COLUMNS, STATEMENT_HEADER } from './statement-line';
import type { StatementCardText, StatementView } from './statement.dto';

/**
 * What is wrong with a statement: a line was `altered`, `missing` or `added`; a line's cost does not follow from its tokens
 * (`miscalculated`) or it does not belong here (`misfiled`); a `rate_card`, the `totals` or a `file` as a whole is wrong.
 */
export interface StatementFault {
  readonly kind: 'altered' | 'missing' | 'added' | 'miscalculated' | 'misfiled' | 'rate_card' | 'totals' | 'file';
  /** Of the bill, the header being 1; `null` where there is none. */
  readonly line: number | null;
  readonly requestId: string | null;
  readonly message: string;
}

export interface StatementVerdict {
  readonly ok: boolean;
  readonly id: string;
  /** Lines of the bill as it is. */
  readonly rows: number;
  /** Sum of its costs. */
  readonly cost: string;
  /** Lines whose cost was recomputed from tokens and rate card. Quarantined ones are billed as they were found. */
  readonly recomputed: number;
  /** Of the bill as it is. */
  readonly sha256: string;
  /** The first thousand, those of lines in the order of the bill. */
  readonly faults: readonly StatementFault[];
  readonly moreFaults: number;
}

/** The exported files of a statement. */
export interface StatementExport {
  readonly manifest: StatementView;
  readonly bill: AsyncIterable<string>;
  readonly digests: AsyncIterable<string>;
  readonly rateCards: readonly StatementCardText[];
}

const MAX_FAULTS = 1_000;
const INDEX = new Map(STATEMENT_COLUMNS.map(({ name }, index) => [name, index]));
const TOKEN_COLUMNS: Readonly<Partial<Record<TokenClass, string>>> = {
  input: 'input_tokens',
  cacheRead: 'cache_read_tokens',
  cacheWrite5m: 'cache_write_5m_tokens',
  cacheWrite1h: 'cache_write_1h_tokens',
  output: 'output_tokens',
  reasoning: 'reasoning_tokens',
};

/** A line of the bill by the names of its columns. */
type Cells = (column: string) => string;

/** Recomputes a closed statement from its exported files alone and names every line that is not as it was closed. */
export function verifyStatement(files: StatementExport): Promise<StatementVerdict> {
  return new Verification(files).run();
}

class Verification {
  readonly #faults: StatementFault[] = [];
  readonly #cards = new Map<number, RateCard>();
  readonly #lines = new LineMatch(({ number, requestId }) =>
    this.fault('altered', 'was changed after the statement was closed', number, requestId),
  );
  #rows = 0;
  #lateRows = 0;
  #recomputed = 0;
  #costNanos = 0n;

  constructor(private readonly files: StatementExport) {}

  async run(): Promise<StatementVerdict> {
    const { manifest, bill, digests } = this.files;
    this.readCards();
    const [billHash, digestsHash] = [new RunningHash(), new RunningHash()];
    const found = csvRecords(bill, billHash.add);
    const expected = csvRecords(digests, digestsHash.add);
    // In step, so that neither file is ever held whole.
    for (let isDone = false; !isDone;) {
      const [line, digest] = await Promise.all([found.next(), expected.next()]);
      if (!line.done) this.checkLine(line.value);
      if (!digest.done) this.checkDigest(digest.value);
      isDone = (line.done ?? false) && (digest.done ?? false);
    }
    for (const { requestId } of this.#lines.missing)
      this.fault('missing', 'was in the statement and is not in the bill', null, requestId);
    for (const { number, requestId } of this.#lines.added)
      this.fault('added', 'is in the bill and was not in the statement', number, requestId);

    this.checkTotals();
    const sha256 = billHash.hex();
    if (digestsHash.hex() !== manifest.digestsSha256)
      this.fault('file', 'The digests are not those the manifest speaks of: lines may be accused or excused wrongly');
    if (sha256 !== manifest.sha256)
      this.fault('file', 'The bill does not have the SHA-256 of the manifest: lines, their order or its format differ');
    const sorted = this.#faults.sort((a, b) => (a.line ?? Infinity) - (b.line ?? Infinity) || 0);
    return {
      ok: sorted.length === 0,
      id: manifest.id,
      rows: this.#rows,
      cost: formatNanos(this.#costNanos),
      recomputed: this.#recomputed,
      sha256,
      faults: sorted.slice(0, MAX_FAULTS),
      moreFaults: Math.max(0, sorted.length - MAX_FAULTS),
    };
  }

  private readCards(): void {
    const named = new Map(this.files.manifest.rateCards.map(({ version, sha256 }) => [version, sha256]));
    for (const { version, document } of this.files.rateCards) {
      const hash = hashOf(document);
      if (named.get(version) !== hash)
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

  private checkLine({ number, text }: CsvRecord): void {
    if (number === 1) {
      if (`${text}\r\n` !== STATEMENT_HEADER) this.fault('file', 'The bill has other columns than it should');
      return;
    }
    this.#rows += 1;
    const all = cellsOf(text);
    const cells: Cells = (column) => all[INDEX.get(column) ?? -1] ?? '';
    const requestId = cells('request_id');
    this.#lines.find({ number, requestId, digest: lineDigest(text) });
    const misfiled = this.misfiled(cells);
    if (misfiled) this.fault('misfiled', misfiled, number, requestId);
    const wrong = this.miscalculated(cells);
    if (wrong) this.fault('miscalculated', wrong, number, requestId);
  }

  private misfiled(cells: Cells): string | undefined {
    const { tenant, from, to } = this.files.manifest;
    const at = Date.parse(cells('time'));
    if (Number.isNaN(at) || at >= Date.parse(to)) return `is of ${cells('time')}, after the statement's end`;
    const isLate = at < Date.parse(from);
    if (isLate) this.#lateRows += 1;
    const isCorrection = cells('status') === 'correction';
    const entry = isCorrection ? 'correction' : isLate ? 'late' : 'usage';
    if (cells('entry') !== entry) return `is called "${cells('entry')}" and is "${entry}"`;
    if (tenant !== null && cells('tenant') !== tenant) return `is of the tenant "${cells('tenant')}"`;
    return undefined;
  }

  private miscalculated(cells: Cells): string | undefined {
    const amount = amountOf(cells('cost'));
    if (amount === undefined) return `has the cost "${cells('cost')}", which is no amount`;
    this.#costNanos += amount;
    // Such rows break a rule; what they cost is what the ledger found, and their digest covers it.
    if (cells('status') === 'quarantined') return undefined;
    const card = this.#cards.get(Number(cells('rate_card')));
    const price = card && priceOf(card, original(cells('model')), original(cells('tenant')));
    const formula = FORMULAS.find((known) => cells('formula') === String(known));
    if (formula === undefined) return `was billed by formula "${cells('formula')}", which is not known`;
    if (!price) return `is not priced by rate card "${cells('rate_card')}"`;
    const counts: Record<TokenClass, number> = { ...NO_TOKENS };
    for (const [tokenClass, column] of Object.entries(TOKEN_COLUMNS))
      counts[tokenClass as TokenClass] = countOf(cells(column));
    if (!TOKEN_CLASSES.every((tokenClass) => isTokenCount(counts[tokenClass]))) return 'has a count that is no number';
    const due = cost(price, { ...NO_USAGE, counts }, formula);
    if (due !== amount) return `costs ${cells('cost')} and should cost ${formatNanos(due)}`;
    this.#recomputed += 1;
    return undefined;
  }

  private checkTotals(): void {
    const { rows, lateRows, totals } = this.files.manifest;
    if (rows !== this.#rows) this.fault('totals', `The bill has ${this.#rows} lines and was closed with ${rows}`);
    if (lateRows !== this.#lateRows)
      this.fault('totals', `The bill has ${this.#lateRows} late lines and was closed with ${lateRows}`);
    const sum = formatNanos(this.#costNanos);
    if (totals.cost !== sum) this.fault('totals', `The bill adds up to ${sum} and was closed with ${totals.cost}`);
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

const countOf = (text: string): number => (/^\d{1,15}$/.test(text) ? Number(text) : NaN);

function amountOf(text: string): bigint | undefined {
  try {
    return parseNanos(text);
  } catch {
    return undefined;
  }
}
