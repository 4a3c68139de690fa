import { Client } from 'pg';
import { Audit } from '@app/audit';
import { ChangeFeed, Clock, uuid7, type Config, type Principal, type Tx } from '@app/platform';
import { openGatewayDatabase, silentLog, type GatewayDatabase } from '../../../test/support/gateway-database';
import { adminPrincipal, jobPrincipals } from '../../../test/support/principals';
import { CatalogueLoader } from '../src/catalogue/catalogue-loader.service';
import { Catalogue } from '../src/catalogue/catalogue.service';
import { Models } from '../src/catalogue/models.service';
import { Seeding } from '../src/catalogue/seeding.service';
import { CorrectionBooking } from '../src/corrections/booking.service';
import { CardCorrections } from '../src/corrections/card-corrections.service';
import { Corrections } from '../src/corrections/corrections.service';
import { UncertainRows } from '../src/corrections/uncertain-rows.service';
import { LedgerPartitions } from '../src/ledger/ledger-partitions.service';
import type { LedgerRow } from '../src/ledger/ledger-row';
import { Ledger } from '../src/ledger/ledger.service';
import { RollUp } from '../src/roll-up/roll-up.service';
import { cost, FORMULA, priceOf } from '../src/pricing/pricing';
import { NO_TOKENS, type TokenCounts } from '../src/pricing/token-counts';
import { RateFiles } from '../src/rate-files/rate-files.service';
import { RateCards } from '../src/rates/rate-cards.service';
import { selectRateCards } from '../src/rates/rate-cards.queries';
import { selectModels } from '../src/catalogue/models.queries';
import { Reports } from '../src/reports/reports.service';
import { Usage } from '../src/reports/usage.service';
import { LedgerMonths } from '../src/retention/ledger-months.service';
import { StatementExports } from '../src/statements/statement-exports.service';
import { Statements } from '../src/statements/statements.service';

/** A clock that a test moves; it starts with the true time. */
export class MovableClock extends Clock {
  #offsetMs = 0;

  advance(ms: number): void {
    this.#offsetMs += ms;
  }

  now(): Date {
    return new Date(Date.now() + this.#offsetMs);
  }
}

/** The whole of billing on a database of its own. */
export class BillingWorld {
  readonly clock = new MovableClock();
  readonly admin = adminPrincipal();
  readonly config = {
    current: {
      timezone: 'Europe/Berlin',
      ledger: { retainMonths: null },
      providers: { openai: { dialect: 'openai' } },
      egress: {},
    },
  } as unknown as Config;
  readonly catalogue = new Catalogue(this.config, this.clock);
  readonly models: Models;
  readonly cards: RateCards;
  readonly files: RateFiles;
  readonly seeding: Seeding;
  readonly partitions: LedgerPartitions;
  readonly ledger: Ledger;
  readonly rollUp: RollUp;
  readonly months: LedgerMonths;
  readonly usage: Usage;
  readonly reports: Reports;
  readonly statements: Statements;
  readonly statementExports: StatementExports;
  readonly booking: CorrectionBooking;
  readonly corrections: Corrections;
  readonly cardCorrections: CardCorrections;
  readonly uncertain: UncertainRows;

  readonly #followers: CatalogueLoader[] = [];

  private constructor(readonly db: GatewayDatabase) {
    const { database } = db;
    const { config, clock } = this;
    const ear = new ChangeFeed(db.urls.gatewayUrl, silentLog);
    const loader = new CatalogueLoader(this.catalogue, database, jobPrincipals, ear, silentLog);
    this.models = new Models(database, new Audit(), config, clock, loader);
    this.cards = new RateCards(database, new Audit(), clock, loader);
    this.booking = new CorrectionBooking();
    this.corrections = new Corrections(database, new Audit(), this.catalogue, this.booking);
    this.cardCorrections = new CardCorrections(database, new Audit(), this.catalogue, this.booking);
    this.uncertain = new UncertainRows(database, config, clock);
    this.files = new RateFiles(database, this.cards, clock, loader, this.cardCorrections);
    this.seeding = new Seeding(database, this.models, this.cards, clock);
    this.partitions = new LedgerPartitions(database, jobPrincipals, clock, silentLog);
    this.ledger = new Ledger(this.catalogue, this.partitions, silentLog);
    this.rollUp = new RollUp(database, jobPrincipals, config, clock, silentLog);
    this.months = new LedgerMonths(database, new Audit(), config, clock);
    this.usage = new Usage(database, config, clock);
    this.reports = new Reports(database, config, clock);
    this.statements = new Statements(database, new Audit(), config, silentLog);
    this.statementExports = new StatementExports(database, new Audit());
  }

  static async open(): Promise<BillingWorld> {
    return new BillingWorld(await openGatewayDatabase());
  }

  /** Another process's catalogue, following this database. */
  async follower(): Promise<Catalogue> {
    const { database, changes } = await this.db.otherProcess();
    const catalogue = new Catalogue(this.config, this.clock);
    const loader = new CatalogueLoader(catalogue, database, jobPrincipals, changes, silentLog);
    this.#followers.push(loader);
    await loader.start();
    return catalogue;
  }

  async close(): Promise<void> {
    for (const loader of this.#followers) loader.onModuleDestroy();
    await this.db.close();
  }

  inPlatform<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.db.database.platform(jobPrincipals.for('test'), work);
  }

  /** Runs SQL as somebody whom no policy binds, to arrange or tamper. */
  async asSuperuser<Row extends object>(sql: string, parameters: unknown[] = []): Promise<Row[]> {
    const client = new Client({ connectionString: this.db.urls.superuserUrl, options: '-c search_path=openclawmu' });
    await client.connect();
    try {
      return (await client.query<Row>(sql, parameters)).rows;
    } finally {
      await client.end();
    }
  }

  async addTenant(id: string, costCenter: string | null = null): Promise<void> {
    await this.asSuperuser(
      `INSERT INTO tenants (id, name, status, cost_center, settings, created_at, updated_at) VALUES ($1, upper($1), 'active', $2, '{}', now(), now())`,
      [id, costCenter],
    );
  }

  /** @param lineage of one that came of it by rotation */
  async addToken(id: string, tenant: string, label: string, lineage: string | null = null): Promise<void> {
    await this.asSuperuser(
      `INSERT INTO tokens (id, tenant_id, label, hash, hint, role, created_at, created_by, replaces, lineage)
       VALUES ($1::text, $2, $3, sha256(convert_to($1::text, 'UTF8')), 'abcd', 'member', now(), 'root', $4, $4)`,
      [id, tenant, label, lineage],
    );
  }

  /** Imports a card that is in force at once and loads it. */
  async priceAt(prices: Record<string, [input: string, output: string]>): Promise<number> {
    const { version } = await this.cards.import(this.admin, {
      currency: 'USD',
      prices: Object.entries(prices).map(([model, [input, output]]) => ({ model, input, output })),
    });
    await this.reload();
    return version;
  }

  async reload(): Promise<void> {
    this.catalogue.replace(
      await this.inPlatform(async (tx) => ({ models: await selectModels(tx), cards: await selectRateCards(tx) })),
    );
  }

  /** A correct row of now, priced by the card in force. */
  row(fields: Partial<Omit<LedgerRow, 'counts'>> & { counts?: Partial<TokenCounts> } = {}): LedgerRow {
    const at = fields.at ?? new Date();
    const counts = { ...NO_TOKENS, input: 1_000, output: 100, ...fields.counts };
    const model = fields.model ?? 'gpt-4o';
    const { webSearches = 0, serviceTier = null } = fields;
    const usage = { counts, webSearches, serviceTier };
    const card = this.catalogue.card(fields.rateCard ?? 1);
    const price = card && priceOf(card, model, fields.tenantId ?? 'alpha');
    return {
      id: uuid7(at.getTime()),
      at,
      tenantId: 'alpha',
      tokenId: 'tok_alpha',
      subject: null,
      endUser: null,
      api: 'chat',
      model,
      provider: 'openai',
      providerRequestId: null,
      rateCard: 1,
      formula: FORMULA,
      status: 'actual',
      outcome: 'completed',
      ...usage,
      costNanos: price ? cost(price, usage, fields.formula) : 0n,
      reason: null,
      ...fields,
      counts,
    };
  }

  async book(...rows: LedgerRow[]): Promise<readonly string[]> {
    const booked = await this.inPlatform((tx) => this.ledger.append(tx, rows));
    return booked === 'all' ? rows.map(({ id }) => id) : booked;
  }

  async csv(principal: Principal, query: Parameters<Reports['open']>[1]): Promise<string> {
    const report = await this.reports.open(principal, query);
    let text = '';
    for await (const chunk of report.csv()) text += chunk;
    return text;
  }
}
