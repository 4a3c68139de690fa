import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '@app/platform';
import { TrailFault } from './audit.errors';
import { Checkpointer } from './checkpointer';
import { ExportSession } from './export-session';
import { Trail } from './trail';

export interface AuditExporterOptions {
  /** Login of the runtime. */
  readonly databaseUrl: string;
  readonly dataDir: string;
  /** Asked each time, so that a reloaded configuration counts. */
  readonly checkpointMs: () => number;
  readonly log: Log;
}

export interface ExporterStatus {
  /** `standby`: another process exports into this data directory. `halted`: somebody must look, see `reason`. */
  readonly state: 'exporting' | 'standby' | 'waiting' | 'halted';
  /** Last record exported by this process. */
  readonly seq: number;
  /** Why it waits or halts. */
  readonly reason: string | null;
}

/** Small enough that catching up does not hold up the requests of others. */
const BATCH = 200;
const POLL_MS = 1_000;
/** A fault stays until somebody acts; it is said again this often. */
const REPEAT_MS = 60_000;

/** Where the exported files lie. */
export const auditFolder = (dataDir: string): string => join(dataDir, 'audit');

/**
 * Copies the audit records out of the table into files, once each and in order, and signs checkpoints. Runs in the
 * background of every gateway process; among those that share a data directory one at a time does the work.
 */
export class AuditExporter {
  private session: ExportSession | null = null;
  private trail: Trail | null = null;
  private checkpointer: Checkpointer | null = null;
  private current: ExporterStatus = { state: 'waiting', seq: 0, reason: 'not started' };
  private running: Promise<void> | null = null;
  private stopping = false;
  private reopening = false;
  private faultSaidAtMs = 0;
  private pending = false;
  private wake: () => void = () => undefined;

  constructor(private readonly options: AuditExporterOptions) {}

  get status(): ExporterStatus {
    return this.current;
  }

  start(): void {
    this.running ??= this.run();
  }

  /** Exports what is there, signs a last checkpoint and lets another process take over. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.poke();
    await this.running;
  }

  /** Opens the files anew with the next record; to be called on SIGHUP, after a log rotation. */
  reopen(): void {
    this.reopening = true;
    this.poke();
  }

  private async run(): Promise<void> {
    let last: boolean;
    do {
      last = this.stopping;
      this.pending = false;
      try {
        await this.step(last);
      } catch (error) {
        await this.failed(error as Error);
      }
      if (!last && !this.pending) await this.pause();
    } while (!last);
    await this.release();
  }

  private async step(last: boolean): Promise<void> {
    const session = (this.session ??= await this.connect());
    if (!(await session.lock())) {
      this.current = { state: 'standby', seq: 0, reason: 'another process exports into this data directory' };
      return;
    }
    const trail = await this.openTrail(session);
    for (;;) {
      const lines = await session.linesAfter(trail.position.seq, BATCH);
      await trail.append(lines);
      if (lines.length < BATCH) break;
    }
    const checkpointer = (this.checkpointer ??= await Checkpointer.open(this.options.dataDir, this.folder));
    if (checkpointer.isDue(trail.position, last ? 0 : this.options.checkpointMs()))
      await checkpointer.sign(session, trail.position);
    this.current = { state: 'exporting', seq: trail.position.seq, reason: null };
  }

  private async connect(): Promise<ExportSession> {
    await mkdir(this.folder, { recursive: true, mode: 0o750 });
    return ExportSession.connect(
      this.options.databaseUrl,
      await realpath(this.options.dataDir),
      () => this.poke(),
      // The next step fails on the broken connection and says so.
      () => this.poke(),
    );
  }

  /** @throws TrailFault when the table does not hold what the files end with */
  private async openTrail(session: ExportSession): Promise<Trail> {
    if (this.trail && (this.reopening || !(await this.trail.isOurs()))) await this.closeFiles();
    this.reopening = false;
    if (this.trail) return this.trail;
    const trail = await Trail.open(this.folder);
    const { position, note } = trail;
    if (note) this.options.log.warn({ folder: this.folder, seq: position.seq }, `audit export: ${note}`);
    if (position.seq > 0 && !(await session.has(position)))
      throw new TrailFault(
        `The files in ${this.folder} end with record ${position.seq} (hash ${position.hash.slice(0, 12)}…), which the database does not ` +
          'hold: it is older than the files, or another one. If you restored the database on purpose, move the folder away and keep it.',
      );
    return (this.trail = trail);
  }

  private async failed(error: Error): Promise<void> {
    const { log } = this.options;
    const fault = error instanceof TrailFault;
    const state = fault ? 'halted' : 'waiting';
    if (this.current.state !== state || Date.now() - this.faultSaidAtMs >= REPEAT_MS) {
      this.faultSaidAtMs = Date.now();
      if (fault) log.error({ err: error }, 'audit export halted: somebody must look at this');
      else log.warn({ err: error }, 'audit export interrupted; trying again');
    }
    this.current = { state, seq: this.trail?.position.seq ?? 0, reason: error.message };
    // Whatever failed, the files and the connection are opened anew: only what they then say is true.
    await this.release();
  }

  private async release(): Promise<void> {
    await this.closeFiles();
    await this.session?.close();
    this.session = null;
  }

  private async closeFiles(): Promise<void> {
    await Promise.allSettled([this.trail?.close(), this.checkpointer?.close()]);
    this.trail = null;
    this.checkpointer = null;
  }

  private get folder(): string {
    return auditFolder(this.options.dataDir);
  }

  private poke(): void {
    this.pending = true;
    this.wake();
  }

  private pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, POLL_MS);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
