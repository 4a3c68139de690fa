import type { ExecutionContext } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import { ThrottlerGuard, type ThrottlerOptions, type ThrottlerRequest } from '@nestjs/throttler';
import { type Clock, CodedError, dialectOf, type GatewayRequest, type Principal } from '@app/platform';
import type { Response } from 'express';
import type { KnownLimits } from './known-limits.service';
import { rateHeaders, type RateStanding } from './rate-headers';
import type { RequestAllowances } from './request-allowances.service';
import { MINUTE_MS } from './request-minute';
import type { TenantLimitsView } from './tenant-limits.dto';

const NAMED = {
  token: { whose: "This token's", of: ({ lineage }: Principal) => lineage },
  tenant: { whose: "This tenant's", of: ({ tenantId }: Principal) => tenantId as string },
} as const;
type Scope = keyof typeof NAMED;

const requestOf = (context: ExecutionContext): GatewayRequest & { principal: Principal } =>
  context.switchToHttp().getRequest();

/** Counts a request against the limits of its token, with what that was rotated from, and of its tenant. The narrower one first: what it refuses is not counted in the wider. */
export class TenantThrottler extends ThrottlerGuard {
  constructor(
    limits: KnownLimits,
    allowances: RequestAllowances,
    reflector: Reflector,
    private readonly clock: Clock,
  ) {
    const throttler = (name: Scope, pick: (view: TenantLimitsView) => number | null): ThrottlerOptions => {
      const limitOf = (context: ExecutionContext): number | null => {
        const view = limits.of(requestOf(context).principal.tenantId as string);
        return view ? pick(view) : null;
      };
      return {
        name,
        ttl: MINUTE_MS,
        limit: (context) => limitOf(context) ?? 0,
        skipIf: (context) => limitOf(context) === null,
      };
    };
    const throttlers = [
      throttler('token', ({ requestsPerMinutePerToken }) => requestsPerMinutePerToken),
      throttler('tenant', ({ requestsPerMinute }) => requestsPerMinute),
    ];
    super({ throttlers }, allowances, reflector);
  }

  /** @throws CodedError `rate_limited`, `database_unavailable` */
  protected override async handleRequest({ context, limit, ttl, throttler }: ThrottlerRequest): Promise<boolean> {
    const request = requestOf(context);
    const scope = throttler.name as Scope;
    const key = `${scope} ${NAMED[scope].of(request.principal)}`;
    const hits = await this.storageService.increment(key, ttl, limit, ttl, scope);
    const resetSeconds = hits.timeToExpire;
    const remaining = hits.isBlocked ? 0 : Math.max(0, limit - hits.totalHits);
    tell(context, { limit, remaining, resetSeconds }, this.clock.now());
    if (hits.isBlocked) throw refusal(scope, limit, resetSeconds);
    return true;
  }
}

/** On the answer, whatever it will be; of two limits the one that has less left. */
function tell(context: ExecutionContext, standing: RateStanding, now: Date): void {
  const response = context.switchToHttp().getResponse<Response & { rateRemaining?: number }>();
  if (response.rateRemaining !== undefined && response.rateRemaining <= standing.remaining) return;
  response.rateRemaining = standing.remaining;
  const { path, headers } = requestOf(context);
  for (const [name, value] of Object.entries(rateHeaders(standing, dialectOf(path, headers), now)))
    response.setHeader(name, value);
}

const refusal = (scope: Scope, limit: number, resetSeconds: number): CodedError =>
  new CodedError(
    'rate_limited',
    `${NAMED[scope].whose} limit is ${limit} request${limit === 1 ? '' : 's'} a minute, and this minute has none left.`,
    {
      details: { scope, limit, metric: 'requests', period: 'minute' },
      headers: { 'retry-after': String(resetSeconds) },
    },
  );
