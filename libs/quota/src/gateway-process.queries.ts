import type { Tx } from '@app/platform';
import { lockIsFree } from './process-lock';

/**
 * SQL that counts a commit of the process `$1`, and gives how many there are with it: nothing for one that has no count, because it is
 * of an older version, or is not known here. It is the last lock of a transaction.
 */
export const COUNT_COMMIT =
  'UPDATE process_commits SET commits = commits + 1 WHERE process_id = $1::uuid RETURNING commits';

/** What the database knows of a process. */
export interface KnownProcess {
  readonly ended: boolean;
  /** 0 where they are not counted. */
  readonly commits: bigint;
}

/** Time zone of a process that lives and follows another one. */
export async function otherTimezone(tx: Tx, timezone: string): Promise<string | undefined> {
  const [other] = await tx.query<{ timezone: string }>(
    `SELECT p.timezone FROM gateway_processes p
     WHERE p.ended_at IS NULL AND p.timezone <> $1 AND NOT ${lockIsFree('p.id')} LIMIT 1`,
    [timezone],
  );
  return other?.timezone;
}

export async function enter(tx: Tx, id: string, host: string, pid: number, timezone: string): Promise<void> {
  await tx.query(
    `WITH p AS (INSERT INTO gateway_processes (id, host, pid, timezone) VALUES ($1, $2, $3, $4) RETURNING id)
     INSERT INTO process_commits (process_id) SELECT id FROM p`,
    [id, host, pid, timezone],
  );
}

/** @param lock holds off whoever would declare the process dead until the transaction ends */
export async function knownProcess(
  tx: Tx,
  id: string,
  lock: 'FOR SHARE OF p' | '' = '',
): Promise<KnownProcess | undefined> {
  const [found] = await tx.query<KnownProcess>(
    `SELECT p.ended_at IS NOT NULL AS ended,
       coalesce((SELECT c.commits FROM process_commits c WHERE c.process_id = p.id), 0) AS commits
     FROM gateway_processes p WHERE p.id = $1 ${lock}`,
    [id],
  );
  return found;
}

/** As `knownProcess`, and counts a commit. */
export async function countedProcess(tx: Tx, id: string): Promise<KnownProcess | undefined> {
  const [found] = await tx.query<KnownProcess>(
    `WITH c AS (${COUNT_COMMIT})
     SELECT p.ended_at IS NOT NULL AS ended, coalesce((SELECT commits FROM c), 0) AS commits FROM gateway_processes p WHERE p.id = $1`,
    [id],
  );
  return found;
}
