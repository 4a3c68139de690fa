import 'reflect-metadata';
import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Response } from 'express';
import { CodedError, type GatewayRequest, type Principal, REQUIRES } from '@app/platform';
import type { Caller } from '../pool';
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
  private gatesOf({ tenantId, lineage }: Principal): readonly Gate[] {
    const limits = tenantId === null ? undefined : this.limits.of(tenantId);
    if (!limits) return [];
    const { concurrentRequests, concurrentRequestsPerToken } = limits;
    const gates: Gate[] = [];
    if (concurrentRequestsPerToken !== null)
      gates.push({ scope: 'token', key: `token ${lineage}`, limit: concurrentRequestsPerToken });
    if (concurrentRequests !== null)
      gates.push({ scope: 'tenant', key: `tenant ${tenantId}`, limit: concurrentRequests });
    return gates;
  }

  private async pass(gates: readonly Gate[], response: Response): Promise<boolean> {
    const visit = new Visit(response);
    try {
      for (const { scope, key, limit } of gates) {
        const leave = await this.requests.enter(key, limit, visit);
        if (leave === null) throw refusal(scope, limit);
        visit.passed(leave);
      }
    } catch (error) {
      // Nobody is there to be refused. The handler finds that out, as it does of all who leave before their body is read.
      if (error !== visit.cutBy) throw error;
    }
    return true;
  }
}

const LEFT = new Error('the client left');

/** A call from its first gate on until its answer is closed, also where that happens while it waits at one. */
class Visit implements Caller {
  cutBy: Error | null = null;
  onCut: (() => void) | null = null;
  readonly #passed: Leave[] = [];

  constructor(response: Response) {
    // Who hangs up while its token is looked up is not heard of again.
    if (response.destroyed) this.end();
    else response.once('close', () => this.end());
  }

  passed(leave: Leave): void {
    // It may have been given a slot in the moment in which it left.
    if (this.cutBy) leave();
    else this.#passed.push(leave);
  }

  private end(): void {
    this.cutBy = LEFT;
    this.onCut?.();
    for (const leave of this.#passed) leave();
  }
}

const refusal = (scope: Gate['scope'], limit: number): CodedError =>
  new CodedError(
    'concurrency_exceeded',
    `${WHOSE[scope]} limit is ${limit} call${limit === 1 ? '' : 's'} at the same time, and as many are under way.`,
    { details: { scope, limit, metric: 'concurrency', period: 'always' }, headers: { 'retry-after': '1' } },
  );
