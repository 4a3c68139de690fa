import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiErrors, Audience, Caller, Requires, type Principal } from '@app/platform';
import { AdminRequestsQuery, AdminUsageQuery, UsageRecord, UsageRecordPage, UsageReport } from './usage.dto';
import { Usage } from './usage.service';

@Controller('api/v1/admin/usage')
@Audience('admin')
@ApiTags('Usage')
export class AdminUsageController {
  constructor(private readonly usage: Usage) {}

  @Get()
  @Requires('usage:read')
  @ApiOperation({
    summary: 'Sum up usage',
    description: 'Of all tenants or one, in the current month if nothing else is said.',
  })
  @ApiOkResponse({ type: UsageReport })
  @ApiErrors(['validation_failed', 'tenant_not_found', 'ledger_month_archived'])
  sumUsage(@Caller() principal: Principal, @Query() query: AdminUsageQuery): Promise<UsageReport> {
    return this.usage.rollUp(principal, query);
  }

  @Get('requests')
  @Requires('usage:read')
  @ApiOperation({ summary: 'List billed requests', description: 'Newest first.' })
  @ApiOkResponse({ type: UsageRecordPage })
  @ApiErrors(['validation_failed', 'tenant_not_found', 'cursor_invalid', 'ledger_month_archived'])
  listUsageRequests(@Caller() principal: Principal, @Query() query: AdminRequestsQuery): Promise<UsageRecordPage> {
    return this.usage.requests(principal, query);
  }

  @Get('requests/:requestId')
  @Requires('usage:read')
  @ApiOperation({ summary: 'Show a billed request' })
  @ApiOkResponse({ type: UsageRecord })
  @ApiErrors(['usage_not_found', 'ledger_month_archived'])
  showUsageRequest(@Caller() principal: Principal, @Param('requestId') requestId: string): Promise<UsageRecord> {
    return this.usage.request(principal, requestId);
  }
}
