import {
  rowFromJson,
  totalTokens,
  unconfirmedEntry,
  usageFromJson,
  usageText,
  type Formula,
  type Ledger,
  type LedgerApi,
  type LedgerHead,
  type LedgerOutcome,
  type LedgerRow,
  type LedgerStatus,
  type TokenCounts,
  type Usage,
  type UsedBy,
} from '@app/billing';
import type { Tx } from '@app/platform';
import {
  type Amounts,
  type Attribution,
  type Draft,
  type Entry,
  type Hold,
  type LedgerSink,
  type Owner,
  type SettledLines,
  type SettledRow,
  type Unconfirmed,
  type UsedByUsers,
  type Window,
} from '@app/quota';
import type { Bill } from './bill';

/** A call before it is sent: it is billed at its worst case if nothing more is learnt of it. */
export class WorstCase implements Draft {
  constructor(
    readonly attribution: Attribution<LedgerHead>,
    private readonly worst: Usage,
    readonly others?: readonly Attribution<LedgerHead>[],
  ) {}

  toText(): string {
    return usageText(this.worst);
  }
}

/** The ledger row of a call that has ended. */
export class SettledEntry implements LedgerRow {
  readonly #hold: Hold;
  readonly #head: LedgerHead;
  readonly #bill: Bill;

  /** @param hold made with a `WorstCase` */
  constructor(
    hold: Hold,
    bill: Bill,
    readonly outcome: LedgerOutcome,
    readonly providerRequestId: string | null,
  ) {
    this.#hold = hold;
    this.#head = hold.attribution.facts as LedgerHead;
    this.#bill = bill;
  }

  get id(): string {
    return this.#hold.id;
  }

  get at(): Date {
    return this.#hold.at;
  }

  get tenantId(): string {
    return this.#head.tenantId;
  }

  get tokenId(): string {
    return this.#head.tokenId;
  }

  get subject(): string | null {
    return this.#head.subject;
  }

  get endUser(): string | null {
    return this.#head.endUser;
  }

  get api(): LedgerApi | null {
    return this.#head.api;
  }

  get model(): string {
    return this.#head.model;
  }

  get provider(): string {
    return this.#head.provider;
  }

  get rateCard(): number {
    return this.#head.rateCard;
  }

  get formula(): Formula {
    return this.#head.formula;
  }

  get status(): LedgerStatus {
    return this.#bill.status;
  }

  get reason(): string | null {
    return this.#bill.reason;
  }

  get counts(): TokenCounts {
    return this.#bill.counts;
  }

  get webSearches(): number {
    return this.#bill.webSearches;
  }

  get serviceTier(): string | null {
    return this.#bill.serviceTier;
  }

  get costNanos(): bigint {
    return this.#bill.costNanos;
  }

  get savedNanos(): bigint | undefined {
    return this.#bill.savedNanos;
  }
}

/** Hands what the holds settle to the ledger: quota and billing are siblings and know nothing of each other. */
export class LedgerBridge implements LedgerSink {
  constructor(private readonly ledger: Ledger) {}

  textOf(entry: Entry): string {
    return this.ledger.textOf(entry as SettledEntry);
  }

  book(tx: Tx, settled: SettledLines | readonly SettledRow[]): Promise<readonly string[] | 'all'> {
    if (!('lines' in settled)) return this.ledger.append(tx, settled.map(rowOf));
    const { rows, lines, attributions, sums } = settled;
    const timesMs = sums.flatMap(({ atMs, lastMs }) => [atMs, lastMs]);
    return this.ledger.book(tx, { rows, lines, heads: attributions, timesMs });
  }

  unconfirmed(draft: unknown): Unconfirmed {
    const row = unconfirmedEntry(usageFromJson(draft));
    return { row, tokens: totalTokens(row.counts) };
  }

  pauseBooking(tx: Tx): Promise<void> {
    return this.ledger.pauseBooking(tx);
  }

  beginning(tx: Tx): Promise<Date | null> {
    return this.ledger.beginning(tx);
  }

  currency(at: Date): string | null {
    return this.ledger.currency(at);
  }

  async used(tx: Tx, owners: readonly Owner[], { startsAtMs, endsAtMs }: Window): Promise<Amounts[]> {
    const used = await this.ledger.used(tx, owners.map(usedBy), new Date(startsAtMs), new Date(endsAtMs));
    return used.map(({ costNanos: cost, tokens }) => ({ cost, tokens }));
  }

  async usedByUsers(tx: Tx, tenantId: string, window: Window, after: Date | null): Promise<UsedByUsers> {
    const [from, until] = [new Date(window.startsAtMs), new Date(window.endsAtMs)];
    const { users, countedTo } = await this.ledger.usedByUsers(tx, tenantId, from, until, after);
    return {
      users: new Map([...users].map(([user, { costNanos: cost, tokens }]) => [user, { cost, tokens }])),
      countedTo,
    };
  }
}

function usedBy({ tenantId, scope, target }: Owner): UsedBy {
  const of = {
    model: { model: target },
    token: { lineage: target },
    user: { user: target },
    tenant: {},
    organisation: {},
  };
  return { ...(tenantId === null ? {} : { tenantId }), ...of[scope] };
}

/** What a journal kept was written by another process, so it is checked. */
const rowOf = ({ id, atMs, costNanos, attribution, row }: SettledRow): LedgerRow =>
  rowFromJson(attribution.facts as LedgerHead, row, { id, at: new Date(atMs), costNanos });
