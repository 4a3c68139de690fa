import { Injectable } from '@nestjs/common';
import { Clock, Config, Database, invalidField, type Principal } from '@app/platform';
import type { Layout } from './layout';
import { LAYOUTS } from './layouts';
import { periodOf } from './period';
import { readAs, readStart } from './reading';
import { settledAt } from './settled-at.queries';
import type { AdminReportQuery, ReportManifest } from './report.dto';
import { Report, type Totals } from './report';
import { sumsView } from './usage-record';

/** Bills as files. A tenant's principal gets its own, whatever it asks for. */
@Injectable()
export class Reports {
  constructor(
    private readonly database: Database,
    private readonly config: Config,
    private readonly clock: Clock,
  ) {}

  /** @throws CodedError `validation_failed`, `tenant_not_found` */
  async open(principal: Principal, query: AdminReportQuery): Promise<Report<unknown>> {
    const { timezone } = this.config.current;
    const period = periodOf(query, timezone, this.clock.now());
    const tenant = query.tenant ?? principal.tenantId;
    const read = readAs(this.database, principal);
    const { now, currency } = await read((tx) => readStart(tx, tenant));
    const asOf = query.asOf === undefined ? await settledAt(read, now) : new Date(query.asOf);
    if (asOf > now) throw invalidField('asOf', 'must not be in the future');
    const layout = LAYOUTS[query.layout] as unknown as Layout<unknown>;
    return new Report(layout, read, { ...period, tenant, asOf }, currency, timezone);
  }

  /** @throws CodedError `validation_failed`, `tenant_not_found` */
  async manifest(principal: Principal, query: AdminReportQuery): Promise<ReportManifest> {
    const report = await this.open(principal, query);
    return manifestOf(report, await report.totals());
  }
}

/** What a report that was written amounts to. */
export function manifestOf(report: Report<unknown>, { sums, ...file }: Totals): ReportManifest {
  const { from, to, tenant, asOf } = report.selection;
  return {
    schema: report.schema,
    filename: report.filename,
    from: from.toISOString(),
    to: to.toISOString(),
    tenant,
    asOf: asOf.toISOString(),
    currency: report.currency,
    ...file,
    totals: sumsView(sums),
  };
}
