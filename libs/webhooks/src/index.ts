export { WEBHOOK_EVENTS, type Notice, type WebhookEvent } from './notice';
export { WebhookDeliverer, type WebhookFacts } from './webhook-deliverer.service';
export { WebhooksModule } from './webhooks.module';
export { Webhooks } from './webhooks.service';
