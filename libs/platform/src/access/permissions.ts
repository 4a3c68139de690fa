/** What an admin key may be allowed to do. Admin and tenant permissions never overlap: neither kind of key can hold the other's. */
export const ADMIN_PERMISSIONS = [
  'tenants:read',
  'tenants:write',
  'tokens:read',
  'tokens:write',
  'budgets:read',
  'budgets:write',
  'policies:read',
  'policies:write',
  'models:read',
  'models:write',
  'rates:read',
  'rates:write',
  'usage:read',
  'billing:read',
  'billing:write',
  'webhooks:read',
  'webhooks:write',
  'prompts:read',
  'audit:read',
  'gateway:read',
] as const;

/** What a tenant token may be allowed to do, always inside its own tenant. */
export const TENANT_PERMISSIONS = [
  'model:invoke',
  'tenant:read',
  'tenant:write',
  'tenant:usage',
  'tenant:tokens',
] as const;

export type AdminPermission = (typeof ADMIN_PERMISSIONS)[number];
export type TenantPermission = (typeof TENANT_PERMISSIONS)[number];
export type Permission = AdminPermission | TenantPermission;

export const ADMIN_ROLES = ['admin', 'finance', 'security', 'auditor', 'monitor'] as const;
export type AdminRole = (typeof ADMIN_ROLES)[number];

/** What people wrote is none of finance's business, and no part of reviewing who changed what. */
const read: readonly AdminPermission[] = ADMIN_PERMISSIONS.filter((p) => p.endsWith(':read') && p !== 'prompts:read');

export const ADMIN_ROLE_PERMISSIONS: Readonly<Record<AdminRole, ReadonlySet<Permission>>> = {
  admin: new Set(ADMIN_PERMISSIONS),
  finance: new Set<Permission>([
    ...read.filter((p) => p !== 'audit:read'),
    'budgets:write',
    'rates:write',
    'billing:write',
  ]),
  security: new Set<Permission>([...read, 'tokens:write', 'policies:write']),
  auditor: new Set(read),
  // Whoever scrapes metrics keeps its key in a file; that key is to be of little use to a thief.
  monitor: new Set<Permission>(['gateway:read']),
};

export const TENANT_ROLES = ['owner', 'member'] as const;
export type TenantRole = (typeof TENANT_ROLES)[number];

export const TENANT_ROLE_PERMISSIONS: Readonly<Record<TenantRole, ReadonlySet<Permission>>> = {
  owner: new Set(TENANT_PERMISSIONS),
  member: new Set<Permission>(['model:invoke', 'tenant:read', 'tenant:usage']),
};
