import { closeSync, ftruncateSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '@app/platform';
import type { PromptRow } from '../prompts.queries';
import { writeRow } from './spooled-row';

/** Size from which the next file is begun. */
const SEGMENT_BYTES = 4 * 1024 * 1024;

interface Segment {
  readonly fd: number;
  readonly path: string;
  bytes: number;
  /** Calls whose last word stands here, and is not in the database yet. */
  pins: number;
}

/**
 * The files in which this process notes rows until they are in the database, for whoever comes after it if it dies before. What is
 * noted is sealed. It goes to the operating system's cache at once: it survives the end of the process, not that of the machine.
 */
export class Spool {
  #current: Segment | null = null;
  #number = 0;
  #isFailing = false;
  readonly #pinned = new Map<string, Segment>();

  /** @param folder its own; made when there is something to note */
  constructor(
    private readonly folder: string,
    private readonly log: Log,
    private readonly segmentBytes = SEGMENT_BYTES,
  ) {}

  /** Notes a row, in place of what was noted of the call before. False if it cannot be written. */
  note(row: PromptRow): boolean {
    try {
      const segment = this.segment();
      this.append(segment, writeRow(row));
      segment.pins++;
      this.done(row.requestId);
      this.#pinned.set(row.requestId, segment);
      this.#isFailing = false;
      return true;
    } catch (error) {
      if (!this.#isFailing)
        this.log.warn(
          { err: error, folder: this.folder },
          'the prompt log cannot be noted on disk: it is in memory only',
        );
      this.#isFailing = true;
      return false;
    }
  }

  has(requestId: string): boolean {
    return this.#pinned.has(requestId);
  }

  /** Nothing of the call is needed any more. */
  done(requestId: string): void {
    const segment = this.#pinned.get(requestId);
    if (!segment) return;
    this.#pinned.delete(requestId);
    if (--segment.pins > 0) return;
    try {
      if (segment !== this.#current) return remove(segment);
      ftruncateSync(segment.fd);
      segment.bytes = 0;
    } catch (error) {
      this.log.warn({ err: error, file: segment.path }, 'a file of the prompt log that is done with stays on disk');
    }
  }

  /** Writes nothing more. What is still needed stays for the next process. */
  close(): void {
    if (this.#current) closeSync(this.#current.fd);
    this.#current = null;
    if (this.#pinned.size === 0) rmSync(this.folder, { recursive: true, force: true });
  }

  private segment(): Segment {
    const current = this.#current;
    if (current && current.bytes < this.segmentBytes) return current;
    if (this.#number === 0) mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    const path = join(this.folder, `${String(this.#number + 1).padStart(8, '0')}.sealed`);
    const next = { fd: openSync(path, 'a', 0o600), path, bytes: 0, pins: 0 };
    this.#number++;
    this.#current = next;
    if (current) {
      closeSync(current.fd);
      if (current.pins === 0) remove(current);
    }
    return next;
  }

  private append(segment: Segment, bytes: Buffer): void {
    try {
      for (let from = 0; from < bytes.length;) from += writeSync(segment.fd, bytes, from);
      segment.bytes += bytes.length;
    } catch (error) {
      this.cutTo(segment);
      throw error;
    }
  }

  /** Half a row would hide those behind it: where it cannot be cut off, nothing more is written there. */
  private cutTo(segment: Segment): void {
    try {
      ftruncateSync(segment.fd, segment.bytes);
    } catch {
      this.#current = null;
      closeSync(segment.fd);
    }
  }
}

const remove = ({ path }: Segment): void => rmSync(path, { force: true });
