import type { Tx } from '@app/platform';
import type { Witness } from './chain-check';
import type { Checkpoint } from './checkpoint';

/** Small enough that checking one does not hold up the requests of others. */
const BATCH = 200;

export interface AuditRow {
  readonly seq: bigint;
  readonly time: Date;
  readonly tenant_id: string | null;
  readonly action: string;
  readonly actor_id: string | null;
  readonly outcome: string;
  readonly hash: string;
  readonly line: string;
}

/** What the database itself takes for the end of the chain. */
export async function readHead(tx: Tx): Promise<Witness> {
  const [head] = await tx.query<{ seq: bigint; hash: string }>('SELECT seq, hash FROM audit_head');
  return { seq: Number(head?.seq ?? 0n), hash: head?.hash ?? '', name: 'the head of the chain' };
}

/** The next rows in the order of `seq`; none at the end. */
export const readRows = (tx: Tx, after: bigint): Promise<AuditRow[]> =>
  tx.query<AuditRow>(
    `SELECT seq, time, tenant_id, action, actor_id, outcome, hash, line FROM audit_records
     WHERE seq > $1 ORDER BY seq LIMIT ${BATCH}`,
    [after],
  );

export async function readSigned(tx: Tx, keyId: string): Promise<Checkpoint[]> {
  const rows = await tx.query<{ seq: bigint; time: Date; hash: string; signature: string }>(
    'SELECT seq, time, hash, signature FROM audit_checkpoints WHERE key_id = $1 ORDER BY seq',
    [keyId],
  );
  return rows.map(({ seq, time, hash, signature }) => ({
    seq: Number(seq),
    time: time.toISOString(),
    hash,
    keyId,
    signature,
  }));
}

/** The columns serve the filters; whoever altered one would hide a record from them without touching its text. */
export function columnsAgree(row: AuditRow): boolean {
  try {
    const record = JSON.parse(row.line) as Record<string, unknown> & { actor: { id: unknown } };
    return (
      record.seq === Number(row.seq) &&
      record.time === row.time.toISOString() &&
      record.tenant === row.tenant_id &&
      record.action === row.action &&
      record.actor.id === row.actor_id &&
      record.outcome === row.outcome &&
      record.hash === row.hash
    );
  } catch {
    return false;
  }
}
