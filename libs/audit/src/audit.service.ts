import { Injectable } from '@nestjs/common';
import type { Tx } from '@app/platform';
import { actorOf, draft, type AuditEntry, type Draft } from './entry';

/** Writes audit records. */
@Injectable()
export class Audit {
  /**
   * Records a change in the transaction that makes it: both are committed or neither is. Call it last, because from here
   * to the commit no other transaction can record anything.
   *
   * @throws when a tenant's transaction records something of another tenant
   */
  async record(tx: Tx, entry: AuditEntry): Promise<void> {
    await append(tx, draft(entry, actorOf(tx.principal), tx.principal.origin.requestId));
  }
}

/** Extends the chain by one record; takes the chain's lock until the transaction ends. */
export async function append(tx: Tx, { tenant, action, actorId, outcome, members }: Draft): Promise<void> {
  await tx.query('SELECT append_audit($1, $2, $3, $4, $5)', [tenant, action, actorId, outcome, members]);
}
