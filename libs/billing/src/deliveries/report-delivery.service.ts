import { Injectable } from '@nestjs/common';
import { Config, Database, type DeliveryConfig, type Principal } from '@app/platform';
import { LAYOUTS } from '../reports/layouts';
import { readAs } from '../reports/reading';
import type { Report, Totals } from '../reports/report';
import { selectTenants } from '../reports/report.queries';
import { manifestOf, Reports } from '../reports/reports.service';
import { insertRevision, selectGained, selectLatePeriods, selectRevisions, selectSeenUpTo } from './delivered.queries';
import type { DeliveredFile, Gained, LateFile, Revision } from './delivered.queries';
import { DeliveryFault } from './delivery.errors';
import { boundsOf, grainOf } from './delivery-period';
import type { ClaimedRun } from './delivery-run';
import type { Destination } from './destination';
import { manifestText } from './manifest-text';
import { partitionPath } from './partition-path';
import { writeAll } from './write-all';

/** Where a run writes and how it is stopped. */
export interface Delivering {
  readonly principal: Principal;
  readonly destination: Destination;
  readonly signal: AbortSignal;
  /** Called before a file appears; throws if the run is another process's by now. */
  readonly confirm: () => Promise<void>;
}

export interface DeliveredRevision {
  readonly rows: number;
  readonly revision: number;
}

export type ReportConfig = DeliveryConfig & { readonly report: keyof typeof LAYOUTS };

/** A file that a run writes: a period of all tenants (`null`) or of one. */
interface Target {
  readonly period: string;
  readonly tenant: string | null;
}

/** Writes reports as files, each with a manifest that appears after it. */
@Injectable()
export class ReportDelivery {
  constructor(
    private readonly database: Database,
    private readonly config: Config,
    private readonly reports: Reports,
  ) {}

  /** The files of a run, earlier periods that gained rows since the run before included; oldest period first. */
  async *deliver(delivery: ReportConfig, run: ClaimedRun, to: Delivering): AsyncGenerator<DeliveredRevision> {
    yield* writeAll(await this.targets(delivery, run, to.principal), async (target) => {
      const file = { delivery: delivery.name, schema: LAYOUTS[delivery.report].schema, ...target };
      const known = await readAs(this.database, to.principal)((tx) => selectRevisions(tx, file));
      return this.write(delivery, file, known, run.asOf, to);
    });
  }

  private async targets(delivery: ReportConfig, run: ClaimedRun, principal: Principal): Promise<Target[]> {
    const { timezone } = this.config.current;
    const period = run.period as string;
    const { from, to } = boundsOf(period, timezone);
    const read = readAs(this.database, principal);
    const late = run.requestedBy === null ? await this.late(delivery, run, from, principal) : [];
    const tenants = delivery.each
      ? await read((tx) => selectTenants(tx, { from, to, tenant: null, asOf: run.asOf }))
      : [delivery.tenant ?? null];
    const earlier = delivery.each
      ? late
      : [...new Set(late.map((each) => each.period))].map((each) => ({
          period: each,
          tenant: delivery.tenant ?? null,
        }));
    return [...earlier, ...tenants.map((tenant) => ({ period, tenant }))];
  }

  private async late(
    delivery: ReportConfig,
    { slot, asOf }: ClaimedRun,
    before: Date,
    principal: Principal,
  ): Promise<LateFile[]> {
    const format = grainOf(delivery.report) === 'day' ? 'YYYY-MM-DD' : 'YYYY-MM';
    return readAs(
      this.database,
      principal,
    )(async (tx) => {
      const after = await selectSeenUpTo(tx, delivery.name, slot);
      if (after === null) return [];
      const booked = { after, upTo: asOf };
      const { timezone } = this.config.current;
      return selectLatePeriods(tx, delivery.name, before, delivery.tenant ?? null, booked, timezone, format);
    });
  }

  /** The same bytes as before, unless rows were booked since: then the next revision, in their place. */
  private async write(
    { report: layout }: ReportConfig,
    file: DeliveredFile,
    known: readonly Revision[],
    asOf: Date,
    { principal, destination, signal, confirm }: Delivering,
  ): Promise<DeliveredRevision> {
    const { timezone } = this.config.current;
    const { period, tenant } = file;
    const { from, to } = boundsOf(period, timezone);
    const last = known.at(-1);
    const read = readAs(this.database, principal);
    const gained =
      last && (await read((tx) => selectGained(tx, { from, to }, tenant, { after: last.asOf, upTo: asOf })));
    const isNew = !last || gained?.rows !== 0;
    const report = await this.reports.open(principal, {
      layout,
      from: from.toISOString(),
      to: to.toISOString(),
      asOf: (isNew ? asOf : last.asOf).toISOString(),
      ...(tenant !== null && { tenant }),
    });
    const path = partitionPath(file.schema, grainOf(layout), period, tenant);
    let totals: Totals | undefined;
    const csv = checked(report, async (found) => {
      totals = found;
      if (last && gained) compare(last, found, gained, path.csv);
      await confirm();
    });
    await destination.write(`${path.folder}/${path.csv}`, csv, signal);
    const { rows, sha256, sums } = totals as unknown as Totals;
    const requests = Number(sums.requests);
    const revision: Revision = isNew ? { revision: (last?.revision ?? 0) + 1, asOf, rows, requests, sha256 } : last;
    const manifest = {
      ...manifestOf(report, totals as unknown as Totals),
      filename: path.csv,
      period,
      timeZone: timezone,
      revision: revision.revision,
      revisions: [...(isNew ? known : known.slice(0, -1)), revision].map((each) => ({
        revision: each.revision,
        asOf: each.asOf.toISOString(),
        rows: each.rows,
        sha256: each.sha256,
      })),
    };
    await destination.write(`${path.folder}/${path.manifest}`, manifestText(manifest), signal);
    await read((tx) => insertRevision(tx, file, revision));
    return { rows, revision: revision.revision };
  }
}

/** The report's file; what it amounts to is checked before it ends, so that a wrong one never appears. */
async function* checked(
  report: Report<unknown>,
  check: (totals: Totals) => Promise<void>,
): AsyncGenerator<string, void> {
  await check(yield* report.csv());
}

/** Rows are only ever added to the ledger; of those that are new, corrections are no requests. @throws DeliveryFault */
function compare(last: Revision, { sha256, sums }: Totals, gained: Gained, csv: string): void {
  const isWhole = Number(sums.requests) === last.requests + gained.requests;
  if (gained.rows > 0 ? isWhole : sha256 === last.sha256) return;
  throw new DeliveryFault(
    `${csv} was delivered with SHA-256 ${last.sha256} and can no longer be made so: rows of the ledger are gone or altered. ` +
      'What was delivered stays as it is.',
  );
}
