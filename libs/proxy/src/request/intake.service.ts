import type { Principal } from '@app/platform';
import { Injectable } from '@nestjs/common';
import { Offer } from '../models/offer';
import { PolicyDoor, type Admitted } from '../policy/policy-door.service';
import { route } from '../route/router';
import { SealedThoughts } from '../thoughts/sealed-thoughts.service';
import type { Intake } from './intake';
import type { ModelRequest } from './model-request';

/** Where requests for models come in: what they say, what the tenant's policy says of it, and who can answer. */
@Injectable()
export class RequestIntake {
  constructor(
    private readonly policies: PolicyDoor,
    private readonly offer: Offer,
    private readonly thoughts: SealedThoughts,
  ) {}

  /**
   * At once, unless rules have a long text to look through.
   * @throws CodedError those of `PolicyDoor.admit`, of `route`, and of `SealedThoughts.restored`
   */
  take(principal: Principal, asked: ModelRequest): Intake | Promise<Intake> {
    const admitted = this.policies.admit(principal, asked);
    return admitted instanceof Promise
      ? admitted.then((one) => this.routed(principal, asked, one))
      : this.routed(principal, asked, admitted);
  }

  private routed(principal: Principal, asked: ModelRequest, { request, facts, policy }: Admitted): Intake {
    const plan = route(this.offer, principal, facts, request);
    return this.thoughts.restored(principal, asked, { request, facts, policy, plan, shown: request.body });
  }
}
