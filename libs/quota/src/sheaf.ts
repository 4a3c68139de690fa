import type { Tx } from '@app/platform';
import type { Amounts } from './amounts';
import { type Charge, idIn, readLine } from './journal-line';
import type { LedgerSink, SettledLines } from './ledger-sink';
import type { Attribution } from './scopes/attribution';
import type { Chargeable } from './scopes/charged-windows';
import type { Batch } from './settlements.queries';
import type { LeaseSet } from './window-lease';

/** What UTF-8 takes for a unit of UTF-16, at most. */
const MOST_BYTES_A_UNIT = 3;

/** What of a hold is still asked for when it has ended. */
export interface Ended {
  readonly atMs: number;
  readonly attribution: Attribution;
  readonly leases: LeaseSet;
  /** Of the journal, which stays until the row is booked. */
  readonly segment: number;
}

/** What calls have used together that are attributed to the same, and whose holds have taken from the same windows. */
class Sum implements Chargeable {
  readonly used = { cost: 0n, tokens: 0n };
  lastMs: number;
  /** Of the same attribution, with other windows: those of the day before, say. */
  next: Sum | undefined;

  constructor(
    readonly attribution: Attribution,
    readonly leases: LeaseSet,
    public atMs: number,
  ) {
    this.lastMs = atMs;
  }

  get call(): Chargeable['call'] {
    return this.attribution.call;
  }

  get windowIds(): readonly string[] {
    return this.leases.windowIds;
  }

  add(used: Amounts, atMs: number): void {
    this.used.cost += used.cost;
    this.used.tokens += used.tokens;
    if (atMs < this.atMs) this.atMs = atMs;
    else if (atMs > this.lastMs) this.lastMs = atMs;
  }
}

/**
 * Settled rows on their way to the database, in one piece: their lines in the journal's words, as bytes, and what they have used, added up.
 * Some thousand wait at a time; each as an object with all that it holds on to would be copied by the garbage collector, twice.
 */
export class Sheaf implements SettledLines, Batch<Sheaf> {
  readonly #sums = new Map<Attribution, Sum>();
  readonly #segments: number[] = [];
  #bytes = Buffer.alloc(0);
  #length = 0;

  /** @param sinceMs none of its rows has waited for longer; monotonic ms */
  constructor(readonly sinceMs = performance.now()) {}

  /** @param line a `settledLine` of the hold's */
  add(line: string, { atMs, attribution, leases, segment }: Ended, used: Amounts): void {
    this.makeRoom(line.length * MOST_BYTES_A_UNIT);
    this.#length += this.#bytes.write(line, this.#length);
    this.#segments.push(segment);
    this.sumOf(attribution, leases, atMs).add(used, atMs);
  }

  get rows(): number {
    return this.#segments.length;
  }

  get lines(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  get attributions(): Iterable<Attribution> {
    return this.#sums.keys();
  }

  get sums(): readonly Sum[] {
    const sums: Sum[] = [];
    for (let sum of this.#sums.values()) for (; sum; sum = sum.next as Sum) sums.push(sum);
    return sums;
  }

  get firstId(): string {
    return this.ids[0] as string;
  }

  get ids(): readonly string[] {
    return this.texts().map(idIn);
  }

  has(id: string): boolean {
    return this.lines.includes(` ${id} `);
  }

  append(tx: Tx, ledger: LedgerSink): Promise<readonly string[] | 'all'> {
    return ledger.book(tx, this);
  }

  /** What each of its rows counts. */
  get singly(): readonly Chargeable[] {
    const rows: Chargeable[] = [];
    this.each((_, { atMs, attribution, leases }, used) =>
      rows.push({ atMs, lastMs: atMs, call: attribution.call, used, windowIds: leases.windowIds }),
    );
    return rows;
  }

  only(ids: ReadonlySet<string>): Sheaf {
    return this.picked((line) => ids.has(idIn(line)));
  }

  halves(): readonly [Sheaf, Sheaf] {
    const half = Math.ceil(this.rows / 2);
    return [this.picked((_, place) => place < half), this.picked((_, place) => place >= half)];
  }

  /** Its rows are in the database: the leases they were paid from are smaller by what they used. @returns how many rows need which segment no more */
  booked(): ReadonlyMap<number, number> {
    for (const { leases, used } of this.sums) leases.booked(used);
    const segments = new Map<number, number>();
    for (const segment of this.#segments) segments.set(segment, (segments.get(segment) ?? 0) + 1);
    return segments;
  }

  /** Its rows, as they were added. They are seldom looked at one by one. */
  each(look: (line: string, hold: Ended, used: Amounts) => void): void {
    const known = new Map([...this.attributions].map((attribution) => [attribution.number, attribution]));
    this.texts().forEach((line, place) => {
      const { atMs, attribution, amount, windows } = readLine(line, known) as Charge;
      const leases = this.leasesOf(attribution, windows);
      look(`${line}\n`, { atMs, attribution, leases, segment: this.#segments[place] as number }, amount);
    });
  }

  private picked(isPicked: (line: string, place: number) => boolean): Sheaf {
    const picked = new Sheaf(this.sinceMs);
    let place = 0;
    this.each((...row) => {
      if (isPicked(row[0], place++)) picked.add(...row);
    });
    return picked;
  }

  /** Its lines, without their ends. */
  private texts(): string[] {
    return this.lines.toString().split('\n').slice(0, -1);
  }

  private leasesOf(attribution: Attribution, windows: string): LeaseSet {
    let sum = this.#sums.get(attribution) as Sum;
    while (sum.leases.ids !== windows) sum = sum.next as Sum;
    return sum.leases;
  }

  /** While something is not booked there is one lease of a window, so sets of the same windows are as good as one. */
  private sumOf(attribution: Attribution, leases: LeaseSet, atMs: number): Sum {
    const first = this.#sums.get(attribution);
    for (let sum = first; sum; sum = sum.next) if (sum.leases === leases || sum.leases.ids === leases.ids) return sum;
    const sum = new Sum(attribution, leases, atMs);
    sum.next = first;
    this.#sums.set(attribution, sum);
    return sum;
  }

  private makeRoom(bytes: number): void {
    const { length } = this.#bytes;
    if (length - this.#length >= bytes) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * length, this.#length + bytes));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
