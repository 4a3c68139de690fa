export type { EndReason, KnownToken, TenantStanding } from './directory/known-token';
export { TokenDirectory, type TokenUser } from './directory/token-directory.service';
export { claimedTenant, tokenHash } from './tokens/token-text';
