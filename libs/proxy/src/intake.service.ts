import type { Principal } from '@app/platform';
import { Injectable } from '@nestjs/common';
import type { ModelRequest } from './model-request';
import { Offer } from './offer';
import { PolicyDoor, type Admitted } from './policy/policy-door.service';
import { route, type Plan } from './router';

/** A request that may be asked, and whom to ask. */
export interface Intake extends Admitted {
  readonly plan: Plan;
}

/** Where requests for models come in: what they say, what the tenant's policy says of it, and who can answer. */
@Injectable()
export class RequestIntake {
  constructor(
    private readonly policies: PolicyDoor,
    private readonly offer: Offer,
  ) {}

  /** @throws CodedError those of `PolicyDoor.admit` and of `route` */
  take(principal: Principal, asked: ModelRequest): Intake {
    const { request, facts, policy } = this.policies.admit(principal, asked);
    return { request, facts, policy, plan: route(this.offer, principal, facts, request) };
  }
}
