import { Module } from '@nestjs/common';
import { AuditModule } from '@app/audit';
import { DeliveriesService } from './deliveries.service';
import { WebhookDeliverer } from './webhook-deliverer.service';
import { WebhooksAdminController } from './webhooks-admin.controller';
import { Webhooks } from './webhooks.service';

/** The application calls `WebhookDeliverer.start` when the schema is ready, and `stop` at the end. */
@Module({
  imports: [AuditModule],
  controllers: [WebhooksAdminController],
  providers: [Webhooks, WebhookDeliverer, DeliveriesService],
  exports: [Webhooks, WebhookDeliverer],
})
export class WebhooksModule {}
