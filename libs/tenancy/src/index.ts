export type { EndReason, KnownToken, TenantStanding } from './directory/known-token';
export { TokenDirectory, type TokenUser } from './directory/token-directory.service';
export { TokenLookup } from './directory/token-lookup.service';
export { TenancyModule } from './tenancy.module';
export { TenantLifecycle, type LifecycleStep } from './tenants/tenant-lifecycle';
export type { TenantSettings } from './tenants/tenant-settings';
export { TenantsService } from './tenants/tenants.service';
export { claimedTenant, tokenHash } from './tokens/token-text';
export { TokensService } from './tokens/tokens.service';
