import 'reflect-metadata';
import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Response } from 'express';
import { CodedError, type GatewayRequest, type Principal, REQUIRES } from '@app/platform';
import { KnownLimits } from '../rates/known-limits.service';
import { ConcurrentRequests, type Leave } from './concurrent-requests.service';

const WHOSE = { token: "This token's", tenant: "This tenant's" };

interface Gate {
  readonly scope: keyof typeof WHOSE;
  readonly key: string;
  readonly limit: number;
}

/** Whether the caller has not too many calls under way. A call is under way until its answer is closed; a tenant without limits passes at once. */
@Injectable()
export class ConcurrencyGuard implements CanActivate {
  constructor(
    private readonly limits: KnownLimits,
    private readonly requests: ConcurrentRequests,
  ) {}

  /** @throws CodedError `concurrency_exceeded`, `database_unavailable` */
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const http = context.switchToHttp();
    const { principal, method } = http.getRequest<GatewayRequest>();
    const gates = principal ? this.gatesOf(principal) : [];
    if (gates.length === 0) return true;
    // Model calls, by what their routes declare: paths can be spelled in many ways.
    if (method !== 'POST' || Reflect.getMetadata(REQUIRES, context.getHandler()) !== 'model:invoke') return true;
    return this.pass(gates, http.getResponse<Response>());
  }

  /** The narrower one first: what it refuses takes nothing from the wider. */
  private gatesOf({ tenantId, id }: Principal): readonly Gate[] {
    const limits = tenantId === null ? undefined : this.limits.of(tenantId);
    if (!limits) return [];
    const { concurrentRequests, concurrentRequestsPerToken } = limits;
    const gates: Gate[] = [];
    if (concurrentRequestsPerToken !== null)
      gates.push({ scope: 'token', key: `token ${id}`, limit: concurrentRequestsPerToken });
    if (concurrentRequests !== null)
      gates.push({ scope: 'tenant', key: `tenant ${tenantId}`, limit: concurrentRequests });
    return gates;
  }

  private async pass(gates: readonly Gate[], response: Response): Promise<boolean> {
    const passed: Leave[] = [];
    let isClosed = false;
    response.once('close', () => {
      isClosed = true;
      for (const leave of passed) leave();
    });
    for (const { scope, key, limit } of gates) {
      const leave = await this.requests.enter(key, limit);
      if (leave === null) throw refusal(scope, limit);
      passed.push(leave);
      // Whoever left while it waited is not under way.
      if (isClosed) leave();
    }
    return true;
  }
}

const refusal = (scope: Gate['scope'], limit: number): CodedError =>
  new CodedError(
    'concurrency_exceeded',
    `${WHOSE[scope]} limit is ${limit} call${limit === 1 ? '' : 's'} at the same time, and as many are under way.`,
    { details: { scope, limit, metric: 'concurrency', period: 'always' }, headers: { 'retry-after': '1' } },
  );
