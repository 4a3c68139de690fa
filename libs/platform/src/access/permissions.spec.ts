import {
  ADMIN_PERMISSIONS,
  ADMIN_ROLE_PERMISSIONS,
  ADMIN_ROLES,
  TENANT_PERMISSIONS,
  TENANT_ROLE_PERMISSIONS,
  TENANT_ROLES,
  type AdminRole,
  type Permission,
} from './permissions';

const admin: ReadonlySet<Permission> = new Set(ADMIN_PERMISSIONS);
const tenant: ReadonlySet<Permission> = new Set(TENANT_PERMISSIONS);

it('admin and tenant permissions have none in common', () => {
  expect(ADMIN_PERMISSIONS.filter((permission) => tenant.has(permission))).toEqual([]);
});

it.each(ADMIN_ROLES)('the admin role %s holds admin permissions only', (role) => {
  const held = [...ADMIN_ROLE_PERMISSIONS[role]];
  expect(held).not.toEqual([]);
  expect(held.filter((permission) => !admin.has(permission))).toEqual([]);
});

it.each(TENANT_ROLES)('the tenant role %s holds tenant permissions only', (role) => {
  const held = [...TENANT_ROLE_PERMISSIONS[role]];
  expect(held).not.toEqual([]);
  expect(held.filter((permission) => !tenant.has(permission))).toEqual([]);
});

/** What each role may change or look into beyond the common; a new permission must be decided here too. */
const writes: Readonly<Record<AdminRole, readonly Permission[]>> = {
  admin: [
    'tenants:write',
    'tokens:write',
    'budgets:write',
    'models:write',
    'rates:write',
    'billing:write',
    'webhooks:write',
    'policies:write',
  ],
  finance: ['budgets:write', 'rates:write', 'billing:write'],
  security: ['tokens:write', 'policies:write'],
  auditor: [],
  monitor: [],
};

it.each(ADMIN_ROLES)('the role %s writes what it is for and nothing else', (role) => {
  const held = [...ADMIN_ROLE_PERMISSIONS[role]].filter((permission) => permission.endsWith(':write'));
  expect(held.sort()).toEqual([...writes[role]].sort());
});

it('the admin role holds every admin permission', () => {
  expect(ADMIN_ROLE_PERMISSIONS.admin).toEqual(admin);
});

it('finance reads everything but the audit log and what people wrote', () => {
  const unread = ADMIN_PERMISSIONS.filter((p) => p.endsWith(':read') && !ADMIN_ROLE_PERMISSIONS.finance.has(p));
  expect(unread).toEqual(['prompts:read', 'audit:read']);
});

it.each(['security', 'auditor'] as const)('%s reads everything but what people wrote', (role) => {
  const unread = ADMIN_PERMISSIONS.filter((p) => p.endsWith(':read') && !ADMIN_ROLE_PERMISSIONS[role].has(p));
  expect(unread).toEqual(['prompts:read']);
});

it('a monitor reads how the gateway fares, and nothing of departments', () => {
  expect([...ADMIN_ROLE_PERMISSIONS.monitor]).toEqual(['gateway:read']);
});

it('an owner holds every tenant permission; a member neither settings nor tokens', () => {
  expect(TENANT_ROLE_PERMISSIONS.owner).toEqual(tenant);
  expect([...TENANT_ROLE_PERMISSIONS.member].sort()).toEqual(['model:invoke', 'tenant:read', 'tenant:usage']);
});
