import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  ApiErrors,
  ApiIdempotent,
  Audience,
  Caller,
  IdempotencyKey,
  Principal,
  Requires,
  type Page,
} from '@app/platform';
import { ChangeTenant, CreateTenant, ListTenants, TenantPage, TenantView } from './tenant.dto';
import { TenantsService } from './tenants.service';

@Controller('api/v1/admin/tenants')
@Audience('admin')
@ApiTags('Tenants')
export class TenantsAdminController {
  constructor(private readonly tenants: TenantsService) {}

  @Post()
  @Requires('tenants:write')
  @ApiOperation({ summary: 'Create a tenant', description: 'It has no token yet; create one next.' })
  @ApiIdempotent()
  @ApiCreatedResponse({ type: TenantView })
  @ApiErrors(['validation_failed', 'setting_reserved', 'tenant_exists', 'idempotency_conflict', 'body_malformed'])
  createTenant(
    @Caller() principal: Principal,
    @Body() dto: CreateTenant,
    @IdempotencyKey() key?: string,
  ): Promise<TenantView> {
    return this.tenants.create(principal, dto, key);
  }

  @Get()
  @Requires('tenants:read')
  @ApiOperation({ summary: 'List tenants' })
  @ApiOkResponse({ type: TenantPage })
  @ApiErrors(['validation_failed', 'cursor_invalid'])
  listTenants(@Caller() principal: Principal, @Query() query: ListTenants): Promise<Page<TenantView>> {
    return this.tenants.list(principal, query);
  }

  @Get(':tenantId')
  @Requires('tenants:read')
  @ApiOperation({ summary: 'Show a tenant' })
  @ApiOkResponse({ type: TenantView })
  @ApiErrors(['tenant_not_found'])
  showTenant(@Caller() principal: Principal, @Param('tenantId') tenantId: string): Promise<TenantView> {
    return this.tenants.show(principal, tenantId);
  }

  @Patch(':tenantId')
  @Requires('tenants:write')
  @ApiOperation({ summary: 'Change a tenant', description: 'What is left out stays as it is; null clears.' })
  @ApiOkResponse({ type: TenantView })
  @ApiErrors(['tenant_not_found', 'tenant_state', 'validation_failed', 'setting_reserved', 'body_malformed'])
  changeTenant(
    @Caller() principal: Principal,
    @Param('tenantId') tenantId: string,
    @Body() dto: ChangeTenant,
  ): Promise<TenantView> {
    return this.tenants.change(principal, tenantId, dto);
  }

  @Post(':tenantId/suspend')
  @HttpCode(200)
  @Requires('tenants:write')
  @ApiOperation({
    summary: 'Suspend a tenant',
    description:
      'Its tokens are refused and its open streams cut within a second. Nothing is lost; resume it at any time.',
  })
  @ApiOkResponse({ type: TenantView })
  @ApiErrors(['tenant_not_found', 'tenant_state'])
  suspendTenant(@Caller() principal: Principal, @Param('tenantId') tenantId: string): Promise<TenantView> {
    return this.tenants.suspend(principal, tenantId);
  }

  @Post(':tenantId/resume')
  @HttpCode(200)
  @Requires('tenants:write')
  @ApiOperation({ summary: 'Resume a suspended tenant' })
  @ApiOkResponse({ type: TenantView })
  @ApiErrors(['tenant_not_found', 'tenant_state'])
  resumeTenant(@Caller() principal: Principal, @Param('tenantId') tenantId: string): Promise<TenantView> {
    return this.tenants.resume(principal, tenantId);
  }

  @Delete(':tenantId')
  @Requires('tenants:write')
  @ApiOperation({
    summary: 'Delete a tenant',
    description: 'Revokes its tokens for good. Its bills and audit records remain, so its id is never given again.',
  })
  @ApiOkResponse({ type: TenantView })
  @ApiErrors(['tenant_not_found'])
  deleteTenant(@Caller() principal: Principal, @Param('tenantId') tenantId: string): Promise<TenantView> {
    return this.tenants.delete(principal, tenantId);
  }
}
