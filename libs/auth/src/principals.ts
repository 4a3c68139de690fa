import {
  ADMIN_ROLE_PERMISSIONS,
  Principal,
  TENANT_ROLE_PERMISSIONS,
  type AdminKeyConfig,
  type Origin,
} from '@app/platform';
import type { KnownToken } from '@app/tenancy';

/** Here, and in `job-principals.ts`, is where principals come from; nowhere else. */

export const adminPrincipal = ({ name, role }: AdminKeyConfig, origin: Origin): Principal =>
  Principal.mint({ kind: 'admin', id: name, permissions: ADMIN_ROLE_PERMISSIONS[role], origin });

export const tokenPrincipal = (token: KnownToken, origin: Origin): Principal =>
  Principal.mint({
    kind: 'tenant',
    id: token.tokenId,
    lineage: token.lineage,
    tenantId: token.tenantId,
    label: token.label,
    permissions: TENANT_ROLE_PERMISSIONS[token.role],
    allowedModels: token.allowedModels,
    clampsOutput: token.clampsOutput,
    keepsPrompts: token.keepsPrompts,
    cacheSeconds: token.cacheSeconds,
    origin,
  });
