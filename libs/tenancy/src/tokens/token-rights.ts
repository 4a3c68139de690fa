import { CodedError, TENANT_ROLE_PERMISSIONS, type Principal, type TenantRole } from '@app/platform';
import { coveredBy } from '../model-patterns';

/** What a token may do. */
export interface TokenRights {
  readonly role: TenantRole;
  readonly allowedModels: readonly string[] | null;
}

/**
 * A token must not hand out, by creating or by rotating, more than it has itself. Admins may hand out anything.
 * @throws CodedError `permission_denied`
 */
export function refuseMoreThanOwn(principal: Principal, { role, allowedModels }: TokenRights): void {
  if (principal.kind !== 'tenant') return;
  for (const permission of TENANT_ROLE_PERMISSIONS[role])
    if (!principal.may(permission))
      throw new CodedError('permission_denied', `A token cannot give the role "${role}", which is more than its own.`);
  const own = principal.allowedModels;
  if (own === null) return;
  if (allowedModels === null)
    throw new CodedError('permission_denied', 'A token that may use only some models cannot give the right to all.');
  const foreign = allowedModels.find((pattern) => !coveredBy(pattern, own));
  if (foreign !== undefined)
    throw new CodedError(
      'permission_denied',
      `A token that may not use "${foreign}" itself cannot give the right to it.`,
    );
}
