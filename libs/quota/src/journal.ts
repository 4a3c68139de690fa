import {
  closeSync,
  existsSync,
  fdatasync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { behindCohorts, CodedError, type Log } from '@app/platform';
import { frame } from './journal-frame';
import { attributionLine, type Charge, heldLine, PROBE_LINE, releasedLine } from './journal-line';
import type { Attribution } from './scopes/attribution';

/** What keeps a segment from being removed: a hold whose row is not in the database yet. */
export interface Pinned {
  readonly id: string;
  segment: number;
}

export interface JournalOptions {
  /** `write`: what is acknowledged survives the end of the process. `group`: it survives power loss too, at a grouped fdatasync. */
  readonly sync: 'write' | 'group';
  /** Size from which the next segment is begun. */
  readonly segmentBytes?: number;
}

const SEGMENT_BYTES = 4 * 1024 * 1024;
const RETRY_MS = 250;
/** How often, while there is something to write, it looks whether the file is still there. */
const LOOK_MS = 1_000;

interface Segment {
  readonly number: number;
  readonly path: string;
  bytes: number;
  /** Holds written here that still need it. */
  pins: number;
  /** Numbers whose attributions stand in it. */
  readonly known: Set<number>;
}

/** Lines, and the attributions they name by number; one may stand there often. */
interface Text {
  readonly lines: string;
  readonly attributions: readonly Attribution[];
}

/** The lines of one turn of the event loop; all who wait for one of them wait for the same promise. */
class Batch {
  /** Lines of holds: refused, if they cannot be written. */
  holds = '';
  /** Lines that report what has happened: written later, if they cannot be written now. */
  reports = '';
  readonly attributions: Attribution[] = [];
  readonly pinned: Pinned[] = [];
  readonly done: Promise<void>;
  resolve!: () => void;
  reject!: (error: Error) => void;

  constructor() {
    this.done = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.done.catch(() => undefined); // releases are reported without waiting
  }
}

/**
 * The append-only files in which this process notes holds before they are used and settlements before they are
 * acknowledged. Writing is synchronous and goes to the operating system's cache: a few microseconds for all lines of a turn.
 */
export class Journal {
  readonly #segments: Segment[] = [];
  #fd = -1;
  #batch: Batch | null = null;
  /** Reports that could not be written yet. */
  #owed = '';
  readonly #owedAttributions: Attribution[] = [];
  #owedWaiters: (() => void)[] = [];
  #broken: Error | undefined;
  /** The current segment may end in half a line that could not be cut off. */
  #tainted = false;
  #unsynced: Batch[] = [];
  #syncing = false;
  #retry: NodeJS.Timeout | null = null;
  #closed = true;
  /** Monotonic ms. */
  #lookedAtMs = 0;

  /** @param folder the journal's own; made by `open` */
  constructor(
    readonly folder: string,
    private readonly options: JournalOptions,
    private readonly log: Log,
  ) {}

  open(): void {
    this.#closed = false;
    this.begin();
  }

  /** False while lines cannot be written; tries again by itself. */
  get writable(): boolean {
    return this.#broken === undefined && !this.#closed;
  }

  get bytes(): number {
    return this.#segments.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /**
   * Notes a hold. Its segment stays until `unpin`.
   * @throws CodedError `journal_unavailable`; then nothing was noted
   */
  hold(charge: Charge, draft: string, hold: Pinned): Promise<void> {
    if (!this.writable) return Promise.reject(unavailable());
    const batch = this.gather();
    batch.holds += heldLine(charge, draft);
    batch.attributions.push(charge.attribution);
    batch.pinned.push(hold);
    return batch.done;
  }

  /**
   * Notes that a hold was settled, in a `settledLine`. Rejects if that cannot be written now; it is not forgotten, see `settledUp`.
   * @throws CodedError `journal_unavailable`
   */
  settle(attribution: Attribution, line: string): Promise<void> {
    const batch = this.gather();
    batch.reports += line;
    batch.attributions.push(attribution);
    return batch.done;
  }

  /** The same of a hold that was released. @throws CodedError `journal_unavailable` */
  release(id: string): Promise<void> {
    const batch = this.gather();
    batch.reports += releasedLine(id);
    return batch.done;
  }

  /** Resolves when no report is owed any more. */
  settledUp(): Promise<void> {
    if (this.#owed === '') return Promise.resolve();
    return new Promise((resolve) => this.#owedWaiters.push(resolve));
  }

  /** Rows of some holds are in the database, or these were released: what was noted of them in their segment is no longer needed. */
  unpin(number: number, holds = 1): void {
    const segment = this.#segments.find((each) => each.number === number);
    if (segment) segment.pins -= holds;
    // In order only: what a later segment says of a hold is not to outlive, nor to die before, the hold's own line.
    while (this.#segments.length > 1 && this.#segments[0]?.pins === 0)
      rmSync((this.#segments.shift() as Segment).path, { force: true });
  }

  /** Stops writing; the files stay. */
  close(): void {
    if (this.#closed) return;
    if (this.#batch) this.flush();
    this.#closed = true;
    if (this.#retry) clearTimeout(this.#retry);
    closeQuietly(this.#fd);
  }

  /** For a process that owes nothing any more. */
  remove(): void {
    this.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private gather(): Batch {
    if (this.#batch === null) {
      this.#batch = new Batch();
      behindCohorts(this.flush);
    }
    return this.#batch;
  }

  private readonly flush = (): void => {
    const batch = this.#batch;
    if (batch === null) return;
    this.#batch = null;
    const failure =
      this.#broken ?? this.write({ lines: batch.reports + batch.holds, attributions: batch.attributions });
    if (failure) return this.fail(batch, failure);
    const segment = this.current;
    segment.pins += batch.pinned.length;
    for (const hold of batch.pinned) hold.segment = segment.number;
    if (this.options.sync === 'write') return batch.resolve();
    this.#unsynced.push(batch);
    this.sync();
  };

  /** Writes all of a text or, as far as that can be brought about, nothing of it. */
  private write({ lines, attributions }: Text): Error | undefined {
    try {
      if (this.#closed) throw new Error('the journal is closed');
      if (!this.#syncing && (this.#tainted || this.current.bytes >= this.segmentBytes || this.wasRemoved()))
        this.begin();
      const { known } = this.current;
      const unknown = new Set(attributions.filter(({ number }) => !known.has(number)));
      let introduced = '';
      for (const attribution of unknown) introduced += attributionLine(attribution);
      const bytes = frame(introduced + lines);
      for (let written = 0; written < bytes.length;) written += writeSync(this.#fd, bytes, written);
      this.current.bytes += bytes.length;
      for (const { number } of unknown) known.add(number);
      return undefined;
    } catch (error) {
      try {
        ftruncateSync(this.#fd, this.current.bytes);
      } catch {
        this.#tainted = true;
      }
      return error as Error;
    }
  }

  /** Into a file that somebody has removed, everything can be written, and nothing outlives this process. */
  private wasRemoved(): boolean {
    const nowMs = performance.now();
    if (nowMs - this.#lookedAtMs < LOOK_MS) return false;
    this.#lookedAtMs = nowMs;
    const { path } = this.current;
    if (existsSync(path)) return false;
    const meaning =
      'calls that it knew of are on no bill if this process ends before they are booked; a new file is begun';
    this.log.error({ file: path }, `somebody has removed the journal: ${meaning}`);
    return true;
  }

  private begin(): void {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    const number = (this.#segments.at(-1)?.number ?? 0) + 1;
    const path = join(this.folder, `${String(number).padStart(8, '0')}.log`);
    const fd = openSync(path, 'a', 0o600);
    if (this.options.sync === 'group') syncFolder(this.folder);
    closeQuietly(this.#fd);
    this.#fd = fd;
    this.#tainted = false;
    this.#segments.push({ number, path, bytes: 0, pins: 0, known: new Set() });
  }

  private sync(): void {
    if (this.#syncing) return;
    this.#syncing = true;
    const group = this.#unsynced;
    this.#unsynced = [];
    fdatasync(this.#fd, (error) => {
      this.#syncing = false;
      for (const batch of group) {
        if (error) this.disown(batch, error);
        else batch.resolve();
      }
      if (this.#unsynced.length > 0) this.sync();
    });
  }

  /** After a failed sync nobody knows what the disk has: say it all again, in another file. */
  private disown(batch: Batch, error: Error): void {
    for (const { segment } of batch.pinned) this.unpin(segment);
    this.#tainted = true;
    this.fail(batch, error);
  }

  private fail(batch: Batch, error: Error): void {
    if (this.#broken === undefined)
      this.log.error(
        { err: error, folder: this.folder },
        'the journal cannot be written; no work is accepted until it can',
      );
    this.#broken = error;
    this.#owed += batch.reports;
    if (batch.reports !== '') this.#owedAttributions.push(...batch.attributions);
    // The lines of these holds may stand in the file all the same.
    if (this.#tainted) for (const { id } of batch.pinned) this.#owed += releasedLine(id);
    batch.reject(unavailable(error));
    this.#retry ??= setTimeout(this.retry, RETRY_MS).unref();
  }

  private readonly retry = (): void => {
    this.#retry = null;
    if (this.#closed) return;
    if (this.write({ lines: this.#owed + PROBE_LINE, attributions: this.#owedAttributions }) ?? this.syncNow()) {
      this.#retry = setTimeout(this.retry, RETRY_MS).unref();
      return;
    }
    this.#broken = undefined;
    this.#owed = '';
    this.#owedAttributions.length = 0;
    for (const resolve of this.#owedWaiters) resolve();
    this.#owedWaiters = [];
    this.log.info({ folder: this.folder }, 'the journal can be written again');
  };

  private syncNow(): Error | undefined {
    if (this.options.sync === 'write') return undefined;
    try {
      fdatasyncSync(this.#fd);
      return undefined;
    } catch (error) {
      this.#tainted = true;
      return error as Error;
    }
  }

  private get current(): Segment {
    return this.#segments.at(-1) as Segment;
  }

  private get segmentBytes(): number {
    return this.options.segmentBytes ?? SEGMENT_BYTES;
  }
}

const unavailable = (cause?: Error): CodedError =>
  new CodedError('journal_unavailable', undefined, { cause, headers: { 'retry-after': '1' } });

function closeQuietly(fd: number): void {
  try {
    if (fd >= 0) closeSync(fd);
  } catch {
    // it was gone already
  }
}

function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
