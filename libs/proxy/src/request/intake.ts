import type { Admitted } from '../policy/policy-door.service';
import type { Plan } from '../route/router';

/** A request that may be asked, and whom to ask. */
export interface Intake extends Admitted {
  readonly plan: Plan;
  /** The body as it may be kept and told: what policies masked in thoughts stays so, though it goes back to who wrote it. */
  readonly shown: Buffer;
}
