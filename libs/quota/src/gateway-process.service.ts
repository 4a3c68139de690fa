import { hostname } from 'node:os';
import { CodedError, codeOf, type Database, dashed, type JobPrincipals, type Log, type Tx, uuid7 } from '@app/platform';
import { type Fence, fenceOf, outdated, UNKNOWN } from './fence';
import { countedProcess, enter, otherTimezone, knownProcess } from './gateway-process.queries';
import { LivenessSocket } from './liveness-socket';
import { ProcessLock } from './process-lock';

const HEARTBEAT_MS = 2_000;
const NO_SUCH_TABLE = '42P01';

/** Where a process lives, and whose days it follows. */
export interface ProcessPlace {
  readonly databaseUrl: string;
  /** Absolute path. */
  readonly dataDir: string;
  /** IANA name. */
  readonly timezone: string;
}

/** Processes that disagree about when a day ends would each count it by themselves, and its budget could be spent once in each. */
export class TimezonesDiffer extends Error {
  override readonly name = 'TimezonesDiffer';

  constructor(own: string, others: string) {
    super(
      `The setting timezone is ${own} here, and ${others} in a gateway process that runs on the same database. Budgets hold only where ` +
        'all processes follow the same days: correct the setting, or stop all of them before the first starts with another.',
    );
  }
}

/**
 * Who this process is to the others. It proves to be alive twice, by a lock in the database and by a socket on this
 * machine; its leases and its journal are taken over only when both are gone.
 *
 * It also knows whether the database is still the one it has worked on. What it commits is counted there in the same transactions, and
 * remembered here once it is acknowledged: a database with a lower count has forgotten something, and would let budgets be passed.
 */
export class GatewayProcess {
  /** UUID in its canonical text; a new one for every start. */
  readonly id = dashed(uuid7());
  readonly #lock: ProcessLock;
  readonly #socket: LivenessSocket;
  #timer: NodeJS.Timeout | null = null;
  #fence: Fence | null = null;
  /** How far its commits are counted for sure. One whose acknowledgement was lost may be counted too. */
  #known = 0n;
  #hasLeased = false;

  constructor(
    private readonly database: Database,
    private readonly jobs: JobPrincipals,
    private readonly log: Log,
    private readonly place: ProcessPlace,
  ) {
    this.#lock = new ProcessLock(place.databaseUrl, this.id, log);
    this.#socket = new LivenessSocket(place.dataDir, this.id);
  }

  /** Why it may not take on anything any more, if so. */
  get fenced(): Fence | null {
    return this.#fence;
  }

  /** @throws TimezonesDiffer */
  async start(): Promise<void> {
    await this.#socket.listen();
    await this.#lock.hold();
    try {
      await this.database.platform(this.jobs.for('start'), (tx) => this.enter(tx));
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.#timer = setInterval(() => void this.look(), HEARTBEAT_MS).unref();
  }

  /** Whether another one has ended and nothing of its money is open. @throws CodedError `database_unavailable` */
  async hasEnded(id: string): Promise<boolean> {
    const found = await this.database.platform(this.jobs.for('recovery'), (tx) =>
      tx.query('SELECT 1 FROM gateway_processes WHERE id::text = $1 AND ended_at IS NOT NULL', [id]),
    );
    return found.length > 0;
  }

  /** Takes no more work from here on, for the first cause that was found; the error is for the request in hand. */
  fence(cause: Fence): CodedError {
    if (!this.#fence) this.log.fatal({ process: this.id, missingCommits: Number(cause.missing) }, cause.what);
    this.#fence ??= cause;
    return new CodedError('database_unavailable', this.#fence.detail);
  }

  /** Holds off whoever would declare this process dead until the transaction ends. @throws CodedError `database_unavailable` */
  async mustBeInOffice(tx: Tx): Promise<void> {
    const known = this.#known;
    const fence = fenceOf(await knownProcess(tx, this.id, 'FOR SHARE OF p'), known);
    if (fence) throw this.fence(fence);
  }

  /**
   * Has something committed that is counted.
   * @param work tells `counted` how far before it commits, which throws where the database knows less than this process: into
   * an older copy nothing is booked by one that would not find out afterwards, because the count has caught up
   * @throws CodedError `database_unavailable`
   */
  async commit<T>(work: (counted: (commits: bigint) => void) => Promise<T>): Promise<T> {
    if (this.#fence?.isOutdated) throw this.fence(this.#fence);
    let counted = 0n;
    const result = await work((commits) => {
      if (commits <= this.#known) throw this.fence(commits === 0n ? UNKNOWN : outdated(this.#known + 1n - commits));
      counted = commits;
    });
    this.acknowledged(counted);
    return result;
  }

  /** It has leased something. The next heartbeat counts that: counting each would have refills wait for one another. */
  leased(): void {
    this.#hasLeased = true;
  }

  /** Lets go of both proofs of life. What remains in the database and on disk is then for others to settle. */
  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    await this.#socket.close();
    await this.#lock.release();
  }

  /** One at a time, so that of two with different time zones the later sees the earlier. */
  private async enter(tx: Tx): Promise<void> {
    const { timezone } = this.place;
    await tx.query("SELECT pg_advisory_xact_lock(hashtext('gateway process enters'))");
    const other = await otherTimezone(tx, timezone);
    if (other !== undefined) throw new TimezonesDiffer(timezone, other);
    await enter(tx, this.id, hostname(), process.pid, timezone);
  }

  private async look(): Promise<void> {
    if (this.#fence) return;
    const counts = this.#hasLeased;
    this.#hasLeased = false;
    const known = this.#known + (counts ? 1n : 0n);
    try {
      const found = await this.database.platform(this.jobs.for('heartbeat'), (tx) =>
        counts ? countedProcess(tx, this.id) : knownProcess(tx, this.id),
      );
      const fence = fenceOf(found, known);
      if (fence) this.fence(fence);
      else if (counts && found) this.acknowledged(found.commits);
    } catch (error) {
      // Without a database there is no verdict: leases stay valid, and nobody else can end them without it either.
      this.#hasLeased ||= counts;
      if (codeOf(error) === NO_SUCH_TABLE) this.fence(UNKNOWN);
    }
  }

  private acknowledged(commits: bigint): void {
    if (commits > this.#known) this.#known = commits;
  }
}
