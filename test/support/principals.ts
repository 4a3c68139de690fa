import {
  ADMIN_ROLE_PERMISSIONS,
  JobPrincipals,
  Principal,
  TENANT_ROLE_PERMISSIONS,
  type AdminRole,
  type PrincipalFields,
} from '@app/platform';

/** Principals for tests of libs that stand below or beside `auth`, which alone mints them in the product. */
const origin = { via: 'api', ip: '127.0.0.1', requestId: 'req_test' };

export const adminPrincipal = (role: AdminRole = 'admin', id = 'root'): Principal =>
  Principal.mint({ kind: 'admin', id, permissions: ADMIN_ROLE_PERMISSIONS[role], origin });

export const tenantPrincipal = (tenantId: string, fields: Partial<PrincipalFields> = {}): Principal =>
  Principal.mint({
    kind: 'tenant',
    id: 'tok_test',
    tenantId,
    permissions: TENANT_ROLE_PERMISSIONS.owner,
    origin,
    ...fields,
  });

class TestJobPrincipals extends JobPrincipals {
  for(reason: string, tenantId?: string): Principal {
    return Principal.mint({
      kind: 'job',
      id: reason,
      tenantId,
      permissions: new Set(),
      origin: { via: 'job', ip: null, requestId: null },
    });
  }
}

export const jobPrincipals: JobPrincipals = new TestJobPrincipals();
