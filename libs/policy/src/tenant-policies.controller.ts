import { Body, Controller, Delete, Get, HttpCode, Param, Put } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiErrors, Audience, Caller, type Principal, Requires } from '@app/platform';
import { PolicyView, SetPolicy } from './policy.dto';
import { TenantPolicies } from './tenant-policies.service';

@Controller('api/v1/admin/tenants/:tenantId/policy')
@Audience('admin')
@ApiTags('Policies')
export class TenantPoliciesController {
  constructor(private readonly policies: TenantPolicies) {}

  @Get()
  @Requires('policies:read')
  @ApiOperation({
    summary: "Show a tenant's policy",
    description: 'Without the one for all tenants, which holds beside it.',
  })
  @ApiOkResponse({ type: PolicyView })
  @ApiErrors(['tenant_not_found', 'policy_not_found'])
  showPolicy(@Caller() principal: Principal, @Param('tenantId') tenantId: string): Promise<PolicyView> {
    return this.policies.show(principal, tenantId);
  }

  @Put()
  @Requires('policies:write')
  @ApiOperation({
    summary: "Set a tenant's policy",
    description:
      'It takes the place of the one before, and holds together with the one for all tenants. Every gateway process obeys within a ' +
      'second; calls under way end by the policy they began with.',
  })
  @ApiOkResponse({ type: PolicyView })
  @ApiErrors(['tenant_not_found', 'tenant_state', 'validation_failed'])
  setPolicy(
    @Caller() principal: Principal,
    @Param('tenantId') tenantId: string,
    @Body() policy: SetPolicy,
  ): Promise<PolicyView> {
    return this.policies.set(principal, tenantId, policy);
  }

  @Delete()
  @HttpCode(204)
  @Requires('policies:write')
  @ApiOperation({ summary: "Remove a tenant's policy", description: 'The one for all tenants still holds.' })
  @ApiNoContentResponse()
  @ApiErrors(['tenant_not_found', 'policy_not_found'])
  removePolicy(@Caller() principal: Principal, @Param('tenantId') tenantId: string): Promise<void> {
    return this.policies.remove(principal, tenantId);
  }
}
