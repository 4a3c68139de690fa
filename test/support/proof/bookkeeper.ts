import { setTimeout as delay } from 'node:timers/promises';
import { formatNanos, parseNanos } from '../../../libs/platform/src/money';
import type { BookedCall } from '../books';
import { eventually, fakePrices } from '../department';
import type { Answer } from '../gateway';
import type { Fleet } from './fleet';
import { Onlooker } from './onlooker';
import type { ProviderBook, ProviderEntry } from './provider-book';
import { numberOf } from './scenario';

const PAUSE_MS = 250;
/** The longest time between two comparisons; short runs have several all the same. */
const COMPARE_MS = 5_000;
const ROWS_AT_ONCE = 5;
/** Servers and gateways are killed meanwhile, and come back slowly where a thousand calls wait for them. */
const PATIENCE_MS = 180_000;

/** Shares of the list prices that rate cards for a time in the past ask, in percent: each is cheaper than what was billed. */
const UNDER_LOAD = 90n;
const AT_THE_END = 80n;

/** What calls from an instant on should have cost. */
export interface ProofCard {
  readonly version: number;
  readonly effectiveAt: Date;
  /** Of the list prices. */
  readonly percent: bigint;
}

/**
 * Does what finance does, meanwhile and afterwards: corrects prices for the past, and rows that are not sure by what the provider
 * charges. While calls are made only downwards, for a call that turns out dearer than it was held may rightly pass a limit.
 */
export class Bookkeeper {
  /** Rows that are billed as the provider says, by their ids. */
  readonly repaired = new Set<string>();
  readonly deeds = {
    'rate cards corrected under load': 0,
    'rows corrected under load': 0,
    'comparisons of all budgets with the ledger': 0,
  };
  /** What these have found. */
  readonly differing: string[] = [];
  private readonly onlooker: Onlooker;

  constructor(
    private readonly fleet: Fleet,
    private readonly provider: ProviderBook,
    superuserUrl: string,
  ) {
    this.onlooker = new Onlooker(superuserUrl);
  }

  /** @param goesOnFor waits, and answers false when the run has ended meanwhile */
  async work(runMs: number, goesOnFor: (ms: number) => Promise<boolean>): Promise<void> {
    const start = Date.now();
    for (let imported = false; await goesOnFor(PAUSE_MS);) {
      if (!imported && Date.now() - start > runMs * 0.35) {
        imported = true;
        await this.correctPrices(UNDER_LOAD, new Date(start + runMs * 0.2));
        this.deeds['rate cards corrected under load']++;
      }
      this.deeds['rows corrected under load'] += await this.repair(await this.dearestDoubts());
    }
  }

  /** Has the gateways compare what their budgets have counted with the ledger, as an operator would, while calls are made. */
  async compare(runMs: number, goesOnFor: (ms: number) => Promise<boolean>): Promise<void> {
    while (await goesOnFor(Math.min(COMPARE_MS, runMs / 8))) {
      const asked = await this.fleet.alive[0]
        ?.call<Comparison>('GET', '/api/v1/admin/budgets/check')
        .catch(() => undefined); // it was killed meanwhile
      if (asked?.status !== 200) continue;
      this.deeds['comparisons of all budgets with the ledger']++;
      this.differing.push(...asked.body.items.map((item) => JSON.stringify(item)));
    }
  }

  /** A price that was wrong from the middle of the run on; sooner or later all calls since are billed by the right one. */
  async correctPricesAgain(runMs: number, startedAt: Date): Promise<void> {
    await this.correctPrices(AT_THE_END, new Date(startedAt.getTime() + runMs * 0.6));
  }

  /** What is not sure by itself: the provider has not said what it charges, or has said so to nobody. */
  doubtful(rows: readonly BookedCall[]): BookedCall[] {
    return rows.filter(
      ({ id, status, model }) =>
        !this.repaired.has(id) && (status !== 'actual' || this.entryOf(model)?.outcome === 'aborted'),
    );
  }

  /** Has rows billed at what the provider charges. @returns how many were not billed so */
  async repair(rows: readonly Pick<BookedCall, 'id' | 'model'>[]): Promise<number> {
    let corrected = 0;
    for (const { id, model } of rows) {
      const { input, output, cacheRead, cacheWrite5m, cacheWrite1h } = this.entryOf(model)?.charged ?? NOTHING;
      const answer = await this.insist(`/api/v1/admin/ledger/rows/req_${id}/corrections`, `proof-row-${id}`, {
        tokens: { input, output, cacheRead, cacheWrite5m, cacheWrite1h },
        reason: "The provider's count",
      });
      if (answer.status === 201) corrected++;
      else if (!answer.text.includes('correction_empty')) throw new Error(`row ${id} is not corrected: ${answer.text}`);
      this.repaired.add(id);
    }
    return corrected;
  }

  /** Every card there is, the gateway's own among them. */
  async cards(): Promise<ProofCard[]> {
    interface CardRow {
      readonly version: number;
      readonly effectiveAt: Date;
      readonly note: string | null;
    }
    const ask = (): Promise<CardRow[] | undefined> =>
      this.onlooker.query(
        `SELECT version, effective_at AS "effectiveAt", document::json ->> 'note' AS note FROM rate_cards ORDER BY version`,
      );
    // A server that was killed is only found out by asking it.
    const rows = (await eventually(ask, Boolean, PATIENCE_MS)) as CardRow[];
    return rows.map(({ version, effectiveAt, note }) => {
      const [, percent = '100'] = /^(\d+) percent$/.exec(note ?? '') ?? [];
      return { version, effectiveAt, percent: BigInt(percent) };
    });
  }

  close(): Promise<void> {
    return this.onlooker.close();
  }

  private async correctPrices(percent: bigint, effectiveAt: Date): Promise<void> {
    const share = (price: string): string => formatNanos((parseNanos(price) * percent) / 100n);
    const prices = fakePrices().map(({ model, ...price }) => ({
      model,
      ...Object.fromEntries(Object.entries(price).map(([name, amount]) => [name, share(amount)])),
    }));
    const answer = await this.insist('/api/v1/admin/rate-cards', `proof-card-${percent}`, {
      currency: 'USD',
      note: `${percent} percent`,
      effectiveAt: effectiveAt.toISOString(),
      correction: true,
      reason: 'A discount that was agreed on',
      prices,
    });
    if (answer.status !== 201) throw new Error(`the prices are not corrected: ${answer.text}`);
  }

  /** Some rows at their worst case, of calls whose end the provider has told. */
  private async dearestDoubts(): Promise<Pick<BookedCall, 'id' | 'model'>[]> {
    const rows = await this.onlooker.query<Pick<BookedCall, 'id' | 'model'>>(
      `SELECT replace(id::text, '-', '') AS id, model FROM ledger WHERE status IN ('unconfirmed', 'quarantined')
        ORDER BY at DESC, id LIMIT 50`,
    );
    return (rows ?? [])
      .filter(({ id, model }) => !this.repaired.has(id) && this.entryOf(model) !== undefined)
      .slice(0, ROWS_AT_ONCE);
  }

  private entryOf(model: string): ProviderEntry | undefined {
    return this.provider.entryOf(numberOf(model) ?? -1);
  }

  /** Asks whoever lives until it is answered; by its key, what was done already is not done again. */
  private async insist(path: string, key: string, body: unknown): Promise<Answer<unknown>> {
    let last = 'nobody was there to ask';
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await delay(PAUSE_MS)) {
      const [gateway] = this.fleet.alive;
      if (!gateway) continue;
      try {
        const answer = await gateway.call<unknown>('POST', path, body, undefined, { 'idempotency-key': key });
        if (answer.status < 500) return answer;
        last = answer.text;
      } catch (error) {
        last = String(error);
      }
    }
    throw new Error(`POST ${path} was not answered in ${PATIENCE_MS / 1_000} s; the last time: ${last}`);
  }
}

interface Comparison {
  readonly items: readonly unknown[];
}

const NOTHING = { input: 0, output: 0, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0 };
