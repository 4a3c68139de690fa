import { JobPrincipals, Principal, type Permission } from '@app/platform';

/** Jobs pass no guard, so they need no permission; what they may touch is decided by the transaction they open. */
const NONE: ReadonlySet<Permission> = new Set();

export class JobPrincipalMint extends JobPrincipals {
  for(reason: string, tenantId?: string): Principal {
    return Principal.mint({
      kind: 'job',
      id: reason,
      permissions: NONE,
      origin: { via: 'job', ip: null, requestId: null },
      ...(tenantId === undefined ? {} : { tenantId }),
    });
  }
}
