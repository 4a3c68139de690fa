import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiErrors, Audience, Caller, type Principal, Requires } from '@app/platform';
import { OwnPolicyView } from './policy.dto';
import { TenantPolicies } from './tenant-policies.service';

@Controller('api/v1/tenant/policy')
@Audience('tenant')
@ApiTags('Own tenant')
export class OwnPolicyController {
  constructor(private readonly policies: TenantPolicies) {}

  @Get()
  @Requires('tenant:read')
  @ApiOperation({ summary: 'Show what your calls have to obey', description: 'Only an administrator can change it.' })
  @ApiOkResponse({ type: OwnPolicyView })
  @ApiErrors(['tenant_suspended'])
  showOwnPolicy(@Caller() principal: Principal): Promise<OwnPolicyView> {
    return this.policies.showOwn(principal);
  }
}
