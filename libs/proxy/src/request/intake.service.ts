import type { Principal } from '@app/platform';
import { Injectable } from '@nestjs/common';
import { Offer } from '../models/offer';
import { PolicyDoor } from '../policy/policy-door.service';
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

  /** @throws CodedError those of `PolicyDoor.admit`, of `route`, and of `SealedThoughts.restored` */
  take(principal: Principal, asked: ModelRequest): Intake {
    const { request, facts, policy } = this.policies.admit(principal, asked);
    const plan = route(this.offer, principal, facts, request);
    return this.thoughts.restored(principal, asked, { request, facts, policy, plan, shown: request.body });
  }
}
