import { Injectable } from '@nestjs/common';
import { Config, type DeliveryConfig } from '@app/platform';
import type { ClaimedRun, DeliveredFiles } from './delivery-run';
import { DeliveryRuns } from './delivery-runs.service';
import { destinationOf } from './place';
import { ReportDelivery, type ReportConfig } from './report-delivery.service';
import { StatementDelivery } from './statement-delivery.service';

/** What one run writes, from its first file to its last. */
@Injectable()
export class DeliveryWork {
  constructor(
    private readonly runs: DeliveryRuns,
    private readonly reports: ReportDelivery,
    private readonly statements: StatementDelivery,
    private readonly config: Config,
  ) {}

  /** @throws whatever the place of the delivery has to say */
  async carryOut(delivery: DeliveryConfig, run: ClaimedRun, signal: AbortSignal): Promise<DeliveredFiles> {
    const { principal } = this.runs;
    const confirm = (): Promise<void> => this.runs.confirm(run);
    const destination = destinationOf(delivery.to, this.config.current.egress);
    const to = { principal, destination, signal, confirm };
    const written = isReport(delivery)
      ? this.reports.deliver(delivery, run, to)
      : this.statements.deliver(delivery, run, to);
    let [files, revised, rows] = [0, 0, 0];
    for await (const each of written) {
      files += 1;
      rows += each.rows;
      if (each.revision > 1) revised += 1;
    }
    return { files, revised, rows };
  }
}

const isReport = (delivery: DeliveryConfig): delivery is ReportConfig => delivery.report !== 'statement';
