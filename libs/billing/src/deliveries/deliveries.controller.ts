import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiErrors, Audience, Caller, Requires, type Principal } from '@app/platform';
import { Deliveries } from './deliveries.service';
import { DeliveryRunner } from './delivery-runner.service';
import { BillDeliveryList, DeliveryRunPage, DeliveryRunsQuery, DeliveryRunView, RunDeliveryDto } from './delivery.dto';

@Controller('api/v1/admin/deliveries')
@Audience('admin')
@ApiTags('Deliveries')
export class DeliveriesController {
  constructor(
    private readonly deliveries: Deliveries,
    private readonly runner: DeliveryRunner,
  ) {}

  @Get()
  @Requires('billing:read')
  @ApiOperation({ summary: 'List deliveries of bills', description: 'They are part of the configuration.' })
  @ApiOkResponse({ type: BillDeliveryList })
  @ApiErrors([])
  listDeliveries(@Caller() principal: Principal): Promise<BillDeliveryList> {
    return this.deliveries.list(principal);
  }

  @Get('runs')
  @Requires('billing:read')
  @ApiOperation({ summary: 'List runs of deliveries', description: 'Newest first.' })
  @ApiOkResponse({ type: DeliveryRunPage })
  @ApiErrors(['validation_failed', 'cursor_invalid'])
  listDeliveryRuns(@Caller() principal: Principal, @Query() query: DeliveryRunsQuery): Promise<DeliveryRunPage> {
    return this.deliveries.runs(principal, query);
  }

  @Post(':delivery/runs')
  @HttpCode(202)
  @Requires('billing:write')
  @ApiOperation({
    summary: 'Deliver now',
    description:
      'A period that was delivered is written again with the same bytes, or as its next revision if rows came late. The ' +
      'answer comes at once; the list of runs tells how it ends.',
  })
  @ApiAcceptedResponse({ type: DeliveryRunView })
  @ApiErrors(['validation_failed', 'delivery_not_found'])
  async runDelivery(
    @Caller() principal: Principal,
    @Param('delivery') name: string,
    @Body() dto: RunDeliveryDto,
  ): Promise<DeliveryRunView> {
    const run = await this.deliveries.request(principal, name, dto);
    this.runner.poke();
    return run;
  }
}
