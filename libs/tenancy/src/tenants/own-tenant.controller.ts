import { Body, Controller, Get, Patch } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiErrors, Audience, Caller, Config, Principal, Requires, tracesContent } from '@app/platform';
import { OwnTenantService } from './own-tenant.service';
import { ChangeOwnTenant, OwnTenantView, type TenantView } from './tenant.dto';

@Controller('api/v1/tenant')
@Audience('tenant')
@ApiTags('Own tenant')
export class OwnTenantController {
  constructor(
    private readonly tenant: OwnTenantService,
    private readonly config: Config,
  ) {}

  @Get()
  @Requires('tenant:read')
  @ApiOperation({ summary: 'Show my tenant' })
  @ApiOkResponse({ type: OwnTenantView })
  @ApiErrors(['tenant_suspended'])
  async showOwnTenant(@Caller() principal: Principal): Promise<OwnTenantView> {
    return this.view(await this.tenant.show(principal));
  }

  @Patch()
  @Requires('tenant:write')
  @ApiOperation({ summary: "Change my tenant's settings" })
  @ApiBody({ type: ChangeOwnTenant })
  @ApiOkResponse({ type: OwnTenantView })
  @ApiErrors(['tenant_suspended', 'setting_reserved', 'validation_failed', 'body_malformed'])
  async changeOwnTenant(@Caller() principal: Principal, @Body() body: Record<string, unknown>): Promise<OwnTenantView> {
    return this.view(await this.tenant.change(principal, body));
  }

  private view(tenant: TenantView): OwnTenantView {
    return { ...tenant, promptsInTraces: tracesContent(this.config.current) };
  }
}
