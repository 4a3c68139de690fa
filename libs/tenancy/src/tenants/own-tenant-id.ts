import type { Principal } from '@app/platform';

/** The tenant of a tenant's principal. @throws TypeError for any other: a route of the wrong audience, a defect. */
export function ownTenantId({ tenantId }: Principal): string {
  if (tenantId === null) throw new TypeError('only a tenant has itself');
  return tenantId;
}
