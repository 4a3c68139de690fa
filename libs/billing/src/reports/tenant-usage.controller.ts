import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiErrors, Audience, Caller, Requires, type Principal } from '@app/platform';
import { TenantRequestsQuery, TenantUsageQuery, UsageRecord, UsageRecordPage, UsageReport } from './usage.dto';
import { Usage } from './usage.service';

@Controller('api/v1/tenant/usage')
@Audience('tenant')
@ApiTags('Own usage')
export class TenantUsageController {
  constructor(private readonly usage: Usage) {}

  @Get()
  @Requires('tenant:usage')
  @ApiOperation({ summary: 'Sum up own usage', description: 'In the current month if nothing else is said.' })
  @ApiOkResponse({ type: UsageReport })
  @ApiErrors(['validation_failed', 'ledger_month_archived'])
  sumOwnUsage(@Caller() principal: Principal, @Query() query: TenantUsageQuery): Promise<UsageReport> {
    return this.usage.rollUp(principal, query);
  }

  @Get('requests')
  @Requires('tenant:usage')
  @ApiOperation({ summary: 'List own billed requests', description: 'Newest first.' })
  @ApiOkResponse({ type: UsageRecordPage })
  @ApiErrors(['validation_failed', 'cursor_invalid', 'ledger_month_archived'])
  listOwnUsageRequests(@Caller() principal: Principal, @Query() query: TenantRequestsQuery): Promise<UsageRecordPage> {
    return this.usage.requests(principal, query);
  }

  @Get('requests/:requestId')
  @Requires('tenant:usage')
  @ApiOperation({ summary: 'Show an own billed request' })
  @ApiOkResponse({ type: UsageRecord })
  @ApiErrors(['usage_not_found', 'ledger_month_archived'])
  showOwnUsageRequest(@Caller() principal: Principal, @Param('requestId') requestId: string): Promise<UsageRecord> {
    return this.usage.request(principal, requestId);
  }
}
