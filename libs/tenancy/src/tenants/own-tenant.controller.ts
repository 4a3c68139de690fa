import { Body, Controller, Get, Patch } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiErrors, Audience, Caller, Principal, Requires } from '@app/platform';
import { OwnTenantService } from './own-tenant.service';
import { ChangeOwnTenant, TenantView } from './tenant.dto';

@Controller('api/v1/tenant')
@Audience('tenant')
@ApiTags('Own tenant')
export class OwnTenantController {
  constructor(private readonly tenant: OwnTenantService) {}

  @Get()
  @Requires('tenant:read')
  @ApiOperation({ summary: 'Show my tenant' })
  @ApiOkResponse({ type: TenantView })
  @ApiErrors(['tenant_suspended'])
  showOwnTenant(@Caller() principal: Principal): Promise<TenantView> {
    return this.tenant.show(principal);
  }

  @Patch()
  @Requires('tenant:write')
  @ApiOperation({ summary: "Change my tenant's settings" })
  @ApiBody({ type: ChangeOwnTenant })
  @ApiOkResponse({ type: TenantView })
  @ApiErrors(['tenant_suspended', 'setting_reserved', 'validation_failed', 'body_malformed'])
  changeOwnTenant(@Caller() principal: Principal, @Body() body: Record<string, unknown>): Promise<TenantView> {
    return this.tenant.change(principal, body);
  }
}
