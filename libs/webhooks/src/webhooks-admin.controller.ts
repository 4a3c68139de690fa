import { Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiErrors, Audience, Caller, Requires, type Principal } from '@app/platform';
import { DeliveriesService } from './deliveries.service';
import { DeliveryDetails, DeliveryPage, DeliveryQuery, DeliveryView, WebhookList } from './webhook.dto';

@Controller('api/v1/admin/webhooks')
@Audience('admin')
@ApiTags('Webhooks')
export class WebhooksAdminController {
  constructor(private readonly deliveries: DeliveriesService) {}

  @Get('endpoints')
  @Requires('webhooks:read')
  @ApiOperation({ summary: 'List the endpoints of the configuration' })
  @ApiOkResponse({ type: WebhookList })
  @ApiErrors()
  listWebhooks(): WebhookList {
    return this.deliveries.endpoints();
  }

  @Get('deliveries')
  @Requires('webhooks:read')
  @ApiOperation({ summary: 'List notices and what became of them, newest first' })
  @ApiOkResponse({ type: DeliveryPage })
  @ApiErrors(['validation_failed', 'cursor_invalid'])
  listWebhookDeliveries(@Caller() principal: Principal, @Query() query: DeliveryQuery): Promise<DeliveryPage> {
    return this.deliveries.list(principal, query);
  }

  @Get('deliveries/:deliveryId')
  @Requires('webhooks:read')
  @ApiOperation({ summary: 'Show a notice' })
  @ApiOkResponse({ type: DeliveryDetails })
  @ApiErrors(['webhook_delivery_not_found'])
  showWebhookDelivery(
    @Caller() principal: Principal,
    @Param('deliveryId') deliveryId: string,
  ): Promise<DeliveryDetails> {
    return this.deliveries.show(principal, deliveryId);
  }

  @Post('deliveries/:deliveryId/retry')
  @HttpCode(200)
  @Requires('webhooks:write')
  @ApiOperation({
    summary: 'Send a notice again',
    description: 'One that is pending or dead, at once and with all its attempts before it. Its id stays the same.',
  })
  @ApiOkResponse({ type: DeliveryView })
  @ApiErrors(['webhook_delivery_not_found', 'webhook_delivered', 'webhook_not_found'])
  retryWebhookDelivery(@Caller() principal: Principal, @Param('deliveryId') deliveryId: string): Promise<DeliveryView> {
    return this.deliveries.retry(principal, deliveryId);
  }

  @Post('endpoints/:name/test')
  @Requires('webhooks:write')
  @ApiOperation({
    summary: 'Send a test notice to an endpoint',
    description: 'The answer comes before the attempt: look at the delivery for what became of it.',
  })
  @ApiCreatedResponse({ type: DeliveryView })
  @ApiErrors(['webhook_not_found'])
  testWebhook(@Caller() principal: Principal, @Param('name') name: string): Promise<DeliveryView> {
    return this.deliveries.test(principal, name);
  }
}
