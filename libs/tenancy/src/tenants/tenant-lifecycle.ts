import { Injectable } from '@nestjs/common';
import type { Tx } from '@app/platform';

/** What a lib above has to do when a tenant goes. */
export interface LifecycleStep {
  /** Unique, so that no lib registers twice. */
  readonly name: string;
  /** Runs in the transaction that deletes the tenant, after its tokens were revoked; throwing stops the deletion. */
  onDelete(tx: Tx, tenantId: string): Promise<void>;
}

/** Where libs above tenancy, which it must not know, take part in a tenant's life. */
@Injectable()
export class TenantLifecycle {
  readonly #steps = new Map<string, LifecycleStep>();

  /** @throws TypeError when the name is taken */
  register(step: LifecycleStep): void {
    if (this.#steps.has(step.name)) throw new TypeError(`a lifecycle step named "${step.name}" is registered already`);
    this.#steps.set(step.name, step);
  }

  /** Runs the steps in the order of their registration. */
  async deleting(tx: Tx, tenantId: string): Promise<void> {
    for (const step of this.#steps.values()) await step.onDelete(tx, tenantId);
  }
}
