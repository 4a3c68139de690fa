import { Module, type OnModuleInit } from '@nestjs/common';
import { AuditModule } from '@app/audit';
import { WebhooksModule } from '@app/webhooks';
import { BillingModule } from '../billing.module';
import { DeliveriesController } from './deliveries.controller';
import { Deliveries } from './deliveries.service';
import { DeliveryRunner } from './delivery-runner.service';
import { DeliveryRuns } from './delivery-runs.service';
import { DeliveryWork } from './delivery-work.service';
import { ReportDelivery } from './report-delivery.service';
import { StatementDelivery } from './statement-delivery.service';

/** Bills that go to a folder or a bucket by themselves. */
@Module({
  imports: [AuditModule, BillingModule, WebhooksModule],
  controllers: [DeliveriesController],
  providers: [Deliveries, DeliveryRuns, DeliveryRunner, DeliveryWork, ReportDelivery, StatementDelivery],
})
export class DeliveriesModule implements OnModuleInit {
  constructor(private readonly runner: DeliveryRunner) {}

  onModuleInit(): void {
    this.runner.start();
  }
}
