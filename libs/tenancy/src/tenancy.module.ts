import { Module } from '@nestjs/common';
import { AuditModule } from '@app/audit';
import { TokenDirectory } from './directory/token-directory.service';
import { TokenLookup } from './directory/token-lookup.service';
import { OwnTenantController } from './tenants/own-tenant.controller';
import { OwnTenantService } from './tenants/own-tenant.service';
import { TenantLifecycle } from './tenants/tenant-lifecycle';
import { TenantsAdminController } from './tenants/tenants-admin.controller';
import { TenantsService } from './tenants/tenants.service';
import { OwnTokensController } from './tokens/own-tokens.controller';
import { TokensAdminController } from './tokens/tokens-admin.controller';
import { TokensService } from './tokens/tokens.service';

@Module({
  imports: [AuditModule],
  controllers: [TenantsAdminController, OwnTenantController, TokensAdminController, OwnTokensController],
  providers: [TenantsService, OwnTenantService, TokensService, TenantLifecycle, TokenLookup, TokenDirectory],
  exports: [TenantsService, TokensService, TenantLifecycle, TokenDirectory],
})
export class TenancyModule {}
