import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { Audit } from '@app/audit';
import type { Config, DeliveryConfig } from '@app/platform';
import { Webhooks } from '@app/webhooks';
import { silentLog } from '../../../test/support/gateway-database';
import { jobPrincipals } from '../../../test/support/principals';
import { Deliveries } from '../src/deliveries/deliveries.service';
import { DeliveryRunner } from '../src/deliveries/delivery-runner.service';
import { DeliveryRuns } from '../src/deliveries/delivery-runs.service';
import { DeliveryWork } from '../src/deliveries/delivery-work.service';
import { ReportDelivery } from '../src/deliveries/report-delivery.service';
import { StatementDelivery } from '../src/deliveries/statement-delivery.service';
import { StatementExports } from '../src/statements/statement-exports.service';
import type { Statements } from '../src/statements/statements.service';
import { BillingWorld } from './billing-world';

/** What stands in a place of deliveries: path → text. */
export type Files = Readonly<Record<string, string>>;

/** Deliveries of a billing world; the tests move its clock. */
export class DeliveryWorld {
  readonly deliveries: Deliveries;
  readonly runner: DeliveryRunner;
  readonly runs: DeliveryRuns;

  private constructor(
    readonly billing: BillingWorld,
    readonly folder: string,
  ) {
    const webhooks = new Webhooks(billing.config, billing.clock);
    this.runs = new DeliveryRuns(billing.db.database, webhooks, jobPrincipals);
    this.runner = this.process();
    this.deliveries = new Deliveries(billing.db.database, new Audit(), billing.config, billing.clock);
  }

  static async open(): Promise<DeliveryWorld> {
    return new DeliveryWorld(await BillingWorld.open(), await mkdtemp(join(tmpdir(), 'deliveries-')));
  }

  /** A gateway process of its own. */
  process(statements: Statements = this.billing.statements): DeliveryRunner {
    const { db, config, reports, clock } = this.billing;
    const work = new DeliveryWork(
      this.runs,
      new ReportDelivery(db.database, config, reports),
      new StatementDelivery(db.database, statements, new StatementExports(db.database, new Audit())),
      config,
    );
    return new DeliveryRunner(this.runs, work, config, clock, silentLog);
  }

  /** Deliveries as a reload would bring them, into the folder unless they say otherwise. */
  configure(...deliveries: Partial<DeliveryConfig>[]): void {
    const current = {
      ...this.billing.config.current,
      webhooks: [{ name: 'alerts', events: ['delivery.*'] }],
      deliveries: deliveries.map((each) => ({
        name: 'warehouse',
        report: 'daily',
        schedule: '0 6 * * *',
        each: false,
        to: { folder: this.folder },
        ...each,
      })),
    };
    Object.assign(this.billing.config, { current } as unknown as Config);
  }

  async files(): Promise<Files> {
    const entries = await readdir(this.folder, { recursive: true, withFileTypes: true });
    const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
    const texts = await Promise.all(
      paths.sort().map(async (path) => [relative(this.folder, path), await readFile(path, 'utf8')] as const),
    );
    return Object.fromEntries(texts);
  }

  /** What receivers outside are told. */
  async notices(): Promise<unknown[]> {
    const rows = await this.billing.asSuperuser<{ body: string }>('SELECT body FROM webhook_deliveries ORDER BY id');
    return rows.map(({ body }) => JSON.parse(body) as unknown);
  }

  /** State, period, files, revised and error of each run, oldest first. */
  async history(delivery?: string): Promise<unknown[]> {
    const { items } = await this.deliveries.runs(this.billing.admin, { limit: 200, ...(delivery && { delivery }) });
    return items.map(({ state, period, files, revised }) => [state, period, files, revised]).reverse();
  }

  async close(): Promise<void> {
    await this.runner.onModuleDestroy();
    await this.billing.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}
