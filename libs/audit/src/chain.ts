import { createHash } from 'node:crypto';

/** What the first record names as the hash before it. */
export const GENESIS = '0'.repeat(64);

/** The place of a record in the chain. */
export interface Link {
  readonly seq: number;
  /** ISO instant; never before that of the record before. */
  readonly time: string;
  readonly prevHash: string;
  readonly hash: string;
}

/** Where a chain stands: the last record that is known to be good. */
export type Position = Pick<Link, 'seq' | 'hash'>;

const HASH = /^[0-9a-f]{64}$/;
const OWN_HASH = /,"hash":"([0-9a-f]{64})"\}$/;

/** Reads a line's place in the chain; `null` unless it has the form of a record. Does not check the hash. */
export function readLink(line: string): Link | null {
  let record: Partial<Record<keyof Link, unknown>>;
  try {
    record = JSON.parse(line) as typeof record;
  } catch {
    return null;
  }
  if (typeof record !== 'object' || record === null) return null;
  const { seq, time, prevHash, hash } = record;
  if (typeof seq !== 'number' || !Number.isSafeInteger(seq) || seq < 1) return null;
  if (typeof time !== 'string' || typeof prevHash !== 'string' || typeof hash !== 'string') return null;
  return HASH.test(prevHash) && HASH.test(hash) ? { seq, time, prevHash, hash } : null;
}

/** The sequence number of a line that has the form of a record. */
export const seqOf = (line: string): number | null => readLink(line)?.seq ?? null;

/** SHA-256 over the line as it reads without its `hash` member, in hex; `null` if that member is not the last. */
export function hashOfLine(line: string): string | null {
  const own = OWN_HASH.exec(line);
  if (!own) return null;
  return createHash('sha256')
    .update(`${line.slice(0, own.index)}}`)
    .digest('hex');
}

/** Whether a line is a record with a right hash that follows directly on `before`. */
export function follows(before: Position, line: string): Link | null {
  const link = readLink(line);
  const fits = link && link.seq === before.seq + 1 && link.prevHash === before.hash && hashOfLine(line) === link.hash;
  return fits ? link : null;
}
