import { Body, Controller, Delete, Get, HttpCode, Post, Put } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiErrors, Audience, BodyLimit, Caller, type Principal, Requires } from '@app/platform';
import { PolicyTestView, PolicyView, SetPolicy, TestPolicy } from './policy.dto';
import { TenantPolicies } from './tenant-policies.service';

/** A text of a million characters, and what its escapes make of it. */
const MAX_TEST_BODY_BYTES = 8_388_608;

@Controller('api/v1/admin/policy')
@Audience('admin')
@ApiTags('Policies')
export class OrganisationPolicyController {
  constructor(private readonly policies: TenantPolicies) {}

  @Get()
  @Requires('policies:read')
  @ApiOperation({ summary: 'Show the policy for all tenants' })
  @ApiOkResponse({ type: PolicyView })
  @ApiErrors(['policy_not_found'])
  showOrganisationPolicy(@Caller() principal: Principal): Promise<PolicyView> {
    return this.policies.show(principal, null);
  }

  @Put()
  @Requires('policies:write')
  @ApiOperation({
    summary: 'Set the policy for all tenants',
    description:
      "It takes the place of the one before. A tenant's own can only add to it. Every gateway process obeys within a second.",
  })
  @ApiOkResponse({ type: PolicyView })
  @ApiErrors(['validation_failed'])
  setOrganisationPolicy(@Caller() principal: Principal, @Body() policy: SetPolicy): Promise<PolicyView> {
    return this.policies.set(principal, null, policy);
  }

  @Delete()
  @HttpCode(204)
  @Requires('policies:write')
  @ApiOperation({ summary: 'Remove the policy for all tenants', description: 'Those of single tenants still hold.' })
  @ApiNoContentResponse()
  @ApiErrors(['policy_not_found'])
  removeOrganisationPolicy(@Caller() principal: Principal): Promise<void> {
    return this.policies.remove(principal, null);
  }

  @Post('tests')
  @HttpCode(200)
  @Requires('policies:read')
  @BodyLimit(MAX_TEST_BODY_BYTES)
  @ApiOperation({
    summary: 'Look a text through by a policy',
    description: 'As a model call would be, without one, to see what rules find. The text is neither kept nor logged.',
  })
  @ApiOkResponse({ type: PolicyTestView })
  @ApiErrors(['tenant_not_found', 'validation_failed'])
  testPolicy(@Caller() principal: Principal, @Body() test: TestPolicy): Promise<PolicyTestView> {
    return this.policies.test(principal, test);
  }
}
