import { Body, Controller, Get, Param, Put } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiErrors, Audience, Caller, type Principal, Requires } from '@app/platform';
import { SetTenantLimits, TenantLimitsView } from './tenant-limits.dto';
import { TenantLimits } from './tenant-limits.service';

@Controller('api/v1/admin/tenants/:tenantId/limits')
@Audience('admin')
@ApiTags('Limits')
export class TenantLimitsController {
  constructor(private readonly limits: TenantLimits) {}

  @Get()
  @Requires('budgets:read')
  @ApiOperation({ summary: 'Show how fast and how much at a time a tenant may call' })
  @ApiOkResponse({ type: TenantLimitsView })
  @ApiErrors(['tenant_not_found'])
  showLimits(@Caller() principal: Principal, @Param('tenantId') tenantId: string): Promise<TenantLimitsView> {
    return this.limits.show(principal, tenantId);
  }

  @Put()
  @Requires('budgets:write')
  @ApiOperation({
    summary: 'Set how fast and how much at a time a tenant may call',
    description:
      'What is left out stays as it is; null lifts a limit. Every gateway process obeys within a second. What was admitted in the ' +
      'minute under way counts, and so do the calls that are under way.',
  })
  @ApiOkResponse({ type: TenantLimitsView })
  @ApiErrors(['tenant_not_found', 'tenant_state'])
  setLimits(
    @Caller() principal: Principal,
    @Param('tenantId') tenantId: string,
    @Body() limits: SetTenantLimits,
  ): Promise<TenantLimitsView> {
    return this.limits.set(principal, tenantId, limits);
  }
}
