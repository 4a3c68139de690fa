import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { CodedError, type AudienceKind, type GatewayRequest } from '@app/platform';
import { accessOf } from './access';

const KEY_OF: Readonly<Record<AudienceKind, string>> = {
  admin: 'an admin key (ak_…)',
  tenant: "a tenant's token (tk_…)",
};

/** Whether the caller may. Closed by default: what is not declared is refused. */
@Injectable()
export class AccessGuard implements CanActivate {
  /** @throws CodedError `permission_denied` */
  canActivate(context: ExecutionContext): boolean {
    const access = accessOf(context.getClass(), context.getHandler() as () => unknown);
    if (access.kind === 'public') return true;
    if (access.kind === 'undeclared') throw new CodedError('permission_denied', `This route ${access.problem}.`);
    const { principal } = context.switchToHttp().getRequest<GatewayRequest>();
    if (principal?.kind !== access.audience)
      throw new CodedError('permission_denied', `This route is for ${KEY_OF[access.audience]}.`);
    if (!principal.may(access.permission))
      throw new CodedError('permission_denied', `This key lacks the permission "${access.permission}".`);
    return true;
  }
}
