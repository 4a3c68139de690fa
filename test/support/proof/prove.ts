import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Books, sum, WINDOW_NAME } from '../books';
import { eventually, offerFakeModels, type Department } from '../department';
import { FakeProvider } from '../fake-provider';
import { createPlace, type Gateway, type Place } from '../gateway';
import { PLANS } from '../plans';
import { Bookkeeper } from './bookkeeper';
import { Boundary, learnQuotes } from './boundary';
import { Caller } from './caller';
import { Chance } from './chance';
import { Fleet } from './fleet';
import { KillablePostgres } from './killable-postgres';
import type { ProofOptions } from './options';
import { ProviderBook } from './provider-book';
import { RateWatch } from './rate-watch';
import { numberOf, plan } from './scenario';
import type { Evidence, FinalWindow, MadeCall } from './verdict';
import { WindowWatch } from './window-watch';

/** The longest time between two kills, and the least share of it; short runs have shorter ones, so that something is killed at all. */
const GATEWAY_KILL_MS = 9_000;
const POSTGRES_KILL_MS = 28_000;
const LEAST_SHARE = 0.6;
const GATEWAY_STOP_MS = 20_000;
const STOPPED_MS = [500, 6_000] as const;
const AWAY_MS = [100, 2_500] as const;
/** In runs that last for minutes, every fourth time: long enough for leases to be used up. */
const LONG_AWAY_MS = [15_000, 60_000] as const;
const LONG_RUN_S = 300;
const RECOVERY_MS = 60_000;
const TELL_EVERY_S = 10;
/** So many in the end, one after the other; each is a transaction. A short run has fewer. */
const MOST_CORRECTED = 5_000;

/** What was done and what is known at the end. */
export interface Proof {
  readonly evidence: Evidence;
  /** What was done to whom, and how often. */
  readonly deeds: Readonly<Record<string, number>>;
  readonly raises: number;
  readonly exitCodes: readonly (number | null)[];
}

/** Makes calls at the boundary of budgets while processes die, waits until all has recovered, and gathers the evidence. */
export async function prove(options: ProofOptions, say: (text: string) => void): Promise<Proof> {
  const postgres = await KillablePostgres.start(new Chance(options.seed).fork(-2).pick<readonly string[]>(PLANS));
  const provider = await FakeProvider.start();
  const place = await createPlace(postgres.database);
  const caller = new Caller();
  let fleet: Fleet | undefined;
  try {
    fleet = await Fleet.start(place, provider, options.gateways);
    return await new Run(options, say, { postgres, provider, place, caller, fleet }).run();
  } finally {
    await fleet?.kill();
    await caller.close();
    await provider.close();
    await postgres.remove();
    await rm(place.folder, { recursive: true, force: true });
  }
}

interface Parts {
  readonly postgres: KillablePostgres;
  readonly provider: FakeProvider;
  readonly place: Place;
  readonly caller: Caller;
  readonly fleet: Fleet;
}

class Run {
  private readonly chance: Chance;
  private readonly calls: MadeCall[] = [];
  private readonly book: ProviderBook;
  private readonly deeds = { 'kill -9 of gateways': 0, 'SIGSTOP of gateways': 0, 'kill -9 of PostgreSQL': 0 };
  private readonly bookkeeper: Bookkeeper;
  private made = 0;
  private over = false;

  constructor(
    private readonly options: ProofOptions,
    private readonly say: (text: string) => void,
    private readonly parts: Parts,
  ) {
    this.chance = new Chance(options.seed);
    this.book = new ProviderBook(parts.provider);
    this.bookkeeper = new Bookkeeper(parts.fleet, this.book, parts.place.database.superuserUrl);
  }

  async run(): Promise<Proof> {
    const { fleet, caller, place, postgres } = this.parts;
    const first = fleet.alive[0] as Gateway;
    await offerFakeModels(first);
    const quotes = await learnQuotes(first, caller);
    const boundary = await Boundary.create(fleet, quotes, this.options, this.chance.fork(1));
    const watch = new WindowWatch(place.database.superuserUrl);
    const rates = new RateWatch(place.database.superuserUrl);
    boundary.start(place.database.superuserUrl);

    const startedAt = new Date();
    const work = Promise.all([
      this.bookkeeper.work(this.options.seconds * 1_000, (ms) => this.goesOnFor(ms)),
      this.bookkeeper.compare(this.options.seconds * 1_000, (ms) => this.goesOnFor(ms)),
      this.killGateways(this.chance.fork(2)),
      this.killPostgres(this.chance.fork(3), postgres),
      this.stopGateways(this.chance.fork(-1)),
      this.tellAndTidy(),
      ...Array.from({ length: this.options.calls }, (_, n) =>
        this.callOnAndOn(this.chance.fork(n + 4), boundary.departments),
      ),
    ]);
    try {
      // Who of them gives up ends the run.
      await Promise.race([work, delay(this.options.seconds * 1_000)]);
    } finally {
      this.over = true;
    }
    await work;
    await boundary.stop();

    this.say('calls have ended; waiting for what is under way and for recovery');
    const books = await Books.open(place.database);
    try {
      await eventually(() => this.book.take() === 0, Boolean, RECOVERY_MS);
      // A fault must be told by the verdict, not by the impatience of who waits for it not to be there.
      await eventually(() => this.isSettled(books), Boolean, RECOVERY_MS).catch(() => undefined);
      const booked = await fingerprints(books);
      await this.correctTheRest(books, boundary, startedAt);
      const exitCodes = await fleet.stop();
      const evidence: Evidence = {
        calls: this.calls,
        provider: this.book.entries,
        ledger: await ofEach(boundary.departments, (tenant) => books.calls(tenant)),
        altered: alteredSince(booked, await fingerprints(books)),
        cards: await this.bookkeeper.cards(),
        repaired: this.bookkeeper.repaired,
        corrections: await ofEach(boundary.departments, (tenant) => books.corrections(tenant)),
        windows: await windowsOf(books),
        watched: await watch.stop(),
        differing: this.bookkeeper.differing,
        quotes,
        rates: { tenant: boundary.hasty, perMinute: boundary.perMinute, minutes: await rates.stop() },
        processEnds: (await books.query('SELECT ended_how FROM gateway_processes')).map(
          ({ ended_how: how }) => how as string | null,
        ),
        journalsLeft: await readdir(join(place.folder, 'data/journal')),
      };
      return { evidence, deeds: { ...this.deeds, ...this.bookkeeper.deeds }, raises: boundary.raises, exitCodes };
    } finally {
      await this.bookkeeper.close();
      await books.close();
    }
  }

  /** As at the end of a month: what is not sure is billed as the provider says, and prices are corrected once more. */
  private async correctTheRest(books: Books, boundary: Boundary, startedAt: Date): Promise<void> {
    const { superuserUrl } = this.parts.place.database;
    const rows = await ofEach(boundary.departments, (tenant) => books.calls(tenant));
    const doubtful = this.bookkeeper.doubtful(rows).slice(0, MOST_CORRECTED);
    this.say(`${doubtful.length} rows that are not sure are corrected, and prices of the past`);
    const charged = doubtful.map(({ model }) => this.book.entryOf(numberOf(model) ?? -1)?.chargedNanos ?? 0n);
    await boundary.makeRoom(superuserUrl, sum(charged));
    await this.bookkeeper.repair(doubtful);
    await this.bookkeeper.correctPricesAgain(this.options.seconds * 1_000, startedAt);
    await eventually(() => arePricesCorrected(books), Boolean, RECOVERY_MS).catch(() => undefined);
  }

  private async callOnAndOn(chance: Chance, departments: readonly Department[]): Promise<void> {
    const { caller, fleet } = this.parts;
    while (!this.over) {
      const gateways = fleet.alive;
      if (gateways.length === 0) {
        await delay(50);
        continue;
      }
      const { id: tenant, token } = chance.pick(departments);
      const planned = plan(++this.made, chance);
      const { text: _, ...received } = await caller.call(chance.pick(gateways).url, token, planned);
      this.calls.push({ plan: planned, tenant, received });
      if (received.status !== 200) await delay(chance.whole(20, 200));
    }
  }

  private async killGateways(chance: Chance): Promise<void> {
    const comingBack: Promise<void>[] = [];
    while (await this.goesOnFor(this.untilKill(chance, GATEWAY_KILL_MS, 0.4))) {
      this.deeds['kill -9 of gateways']++;
      comingBack.push(this.parts.fleet.killOne(chance.whole(0, this.options.gateways - 1)));
    }
    await Promise.all(comingBack);
  }

  /** One of them is slow for a while; whatever the others think of it, it goes on. */
  private async stopGateways(chance: Chance): Promise<void> {
    while (await this.goesOnFor(this.untilKill(chance, GATEWAY_STOP_MS, 0.5))) {
      this.deeds['SIGSTOP of gateways']++;
      await this.parts.fleet.pauseOne(chance.whole(0, this.options.gateways - 1), chance.whole(...STOPPED_MS));
    }
  }

  /** @param share of a short run at which the first kill takes place at the latest */
  private untilKill(chance: Chance, longestMs: number, share: number): number {
    const most = Math.min(longestMs, this.options.seconds * 1_000 * share);
    return chance.whole(Math.floor(most * LEAST_SHARE), Math.floor(most));
  }

  private async killPostgres(chance: Chance, postgres: KillablePostgres): Promise<void> {
    while (await this.goesOnFor(this.untilKill(chance, POSTGRES_KILL_MS, 0.7))) {
      this.deeds['kill -9 of PostgreSQL']++;
      await postgres.kill();
      const isLong = this.options.seconds >= LONG_RUN_S && chance.happens(0.25);
      const [least, most] = isLong ? LONG_AWAY_MS : AWAY_MS;
      await this.goesOnFor(chance.whole(least, most));
      await postgres.comeBack(chance.pick<readonly string[]>(PLANS));
    }
  }

  private async tellAndTidy(): Promise<void> {
    const start = Date.now();
    for (let told = 0; await this.goesOnFor(1_000);) {
      this.book.take();
      const seconds = Math.floor((Date.now() - start) / 1_000);
      if (seconds < told + TELL_EVERY_S) continue;
      told = seconds;
      const deeds = Object.entries(this.deeds).map(([deed, count]) => `${count}× ${deed}`);
      this.say(`${seconds} s: ${this.made} calls, ${deeds.join(', ')}`);
    }
  }

  /** Waits; false when the run has ended meanwhile. */
  private async goesOnFor(ms: number): Promise<boolean> {
    for (const end = Date.now() + ms; Date.now() < end && !this.over;) await delay(Math.min(100, end - Date.now()));
    return !this.over;
  }

  /** Whether everything has been given back and booked, so that waiting longer changes nothing. */
  private async isSettled(books: Books): Promise<boolean> {
    const [left] = await books.query(
      `SELECT (SELECT count(*) FROM leases WHERE amount > 0) + (SELECT count(*) FROM budget_windows WHERE leased > 0)
            + (SELECT greatest(count(*) - $1, 0) FROM gateway_processes WHERE ended_at IS NULL) AS count`,
      [this.options.gateways],
    );
    return Number(left?.['count']) === 0;
  }
}

/** Whether the corrections of every card have gone through all calls that are booked. */
async function arePricesCorrected(books: Books): Promise<boolean> {
  const [left] = await books.query(
    `SELECT count(*) AS count FROM card_corrections WHERE done_up_to IS NULL
        OR done_up_to < (SELECT max(booked_at) FROM ledger WHERE status <> 'correction')`,
  );
  return Number(left?.['count']) === 0;
}

/** Every row of the ledger by its id, corrections too, as a digest of all its columns. */
async function fingerprints(books: Books): Promise<ReadonlyMap<string, string>> {
  const rows = await books.query("SELECT replace(id::text, '-', '') AS id, md5(l::text) AS digest FROM ledger l");
  return new Map(rows.map(({ id, digest }) => [id as string, digest as string]));
}

const alteredSince = (before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] =>
  [...before].filter(([id, digest]) => after.get(id) !== digest).map(([id]) => id);

async function ofEach<Row>(
  departments: readonly Department[],
  read: (tenant: string) => Promise<Row[]>,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { id } of departments) rows.push(...(await read(id)));
  return rows;
}

async function windowsOf(books: Books): Promise<FinalWindow[]> {
  const known = new Map((await books.balances()).map((balance) => [balance.window, balance]));
  const rows = await books.query(
    `SELECT id, ${WINDOW_NAME} AS name, limit_amount, uncovered FROM budget_windows w
      ORDER BY tenant_id, scope, target, metric, period, starts_at`,
  );
  return rows.map(({ id, name, limit_amount: limit, uncovered }) => ({
    ...(known.get(BigInt(id as string)) as FinalWindow),
    name: name as string,
    limit: limit === null ? null : BigInt(limit as string),
    uncovered: BigInt(uncovered as string),
  }));
}
