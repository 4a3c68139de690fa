import { Client } from 'pg';
import { type Log, sessionSettings } from '@app/platform';

const RECONNECT_MS = 250;

/** The low half of the UUID, of which all but two bits are random. */
export const lockKey = (processId: string): bigint =>
  BigInt.asIntN(64, BigInt(`0x${processId.replaceAll('-', '').slice(16)}`));

/** SQL for whether nobody holds the lock of the process whose id that column holds. */
export const lockIsFree = (processId: string): string =>
  `NOT EXISTS (SELECT 1 FROM pg_locks x
     JOIN pg_database d ON d.oid = x.database AND d.datname = current_database(),
     LATERAL (SELECT ('x' || right(replace(${processId}::text, '-', ''), 16))::bit(64)::bigint AS key) k
     WHERE x.locktype = 'advisory' AND x.objsubid = 1 AND x.granted
       AND x.classid::bigint = ((k.key >> 32) & 4294967295) AND x.objid::bigint = (k.key & 4294967295))`;

const connectTo = async (url: string): Promise<Client> => {
  const client = new Client({ connectionString: url, ...sessionSettings, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined); // every loss is followed by 'end'
  await client.connect();
  return client;
};

const tryLock = async (client: Client, processId: string): Promise<boolean> => {
  const { rows } = await client.query<{ got: boolean }>('SELECT pg_try_advisory_lock($1) AS got', [
    String(lockKey(processId)),
  ]);
  return rows[0]?.got === true;
};

/** A lock that a process holds in the database, on a connection of its own, for as long as it lives. */
export class ProcessLock {
  #client: Client | null = null;
  #released = false;

  constructor(
    private readonly url: string,
    private readonly processId: string,
    private readonly log: Log,
  ) {}

  /** @throws Error when the database is away, or when somebody is just looking whether this process lives */
  async hold(): Promise<void> {
    const client = await connectTo(this.url);
    try {
      if (this.#released || !(await tryLock(client, this.processId)))
        throw new Error('the lock of this process is taken');
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    this.#client = client;
    client.once('end', () => {
      if (this.#released) return;
      this.log.warn('lost the connection that proves this process to be alive; reconnecting');
      this.again();
    });
  }

  /** Nobody holds it from here on; there is no way back. */
  async release(): Promise<void> {
    this.#released = true;
    await this.#client?.end().catch(() => undefined);
  }

  private again(): void {
    setTimeout(() => {
      if (!this.#released) this.hold().catch(() => this.again());
    }, RECONNECT_MS).unref();
  }
}

/**
 * Does something in the place of a process whose lock nobody holds, and holds it meanwhile: neither the process nor
 * another heir can come between.
 * @returns false without doing it when the lock is held
 */
export async function inPlaceOf(url: string, processId: string, work: () => Promise<void>): Promise<boolean> {
  const client = await connectTo(url);
  try {
    if (!(await tryLock(client, processId))) return false;
    await work();
    return true;
  } finally {
    await client.end().catch(() => undefined);
  }
}
