import 'reflect-metadata';
import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { type GatewayRequest, REQUIRES } from '@app/platform';
import { KnownLimits } from './known-limits.service';
import { TenantThrottler } from './tenant-throttler.guard';

/** Whether the caller is not too fast. Comes after the guards that know who it is; a tenant without limits passes at once. */
@Injectable()
export class RequestRateGuard implements CanActivate {
  constructor(
    private readonly limits: KnownLimits,
    private readonly throttler: TenantThrottler,
  ) {}

  /** @throws CodedError `rate_limited`, `database_unavailable` */
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const { principal, method } = context.switchToHttp().getRequest<GatewayRequest>();
    const tenantId = principal?.tenantId ?? null;
    if (tenantId === null || this.limits.of(tenantId) === undefined) return true;
    // Model calls, by what their routes declare: paths can be spelled in many ways.
    if (method !== 'POST' || Reflect.getMetadata(REQUIRES, context.getHandler()) !== 'model:invoke') return true;
    return this.throttler.canActivate(context);
  }
}
