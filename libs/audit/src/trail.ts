import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AppendedFile } from './appended-file';
import { TrailFault } from './audit.errors';
import { follows, GENESIS, type Link, type Position } from './chain';
import { readCursor, writeCursor, type TrailCursor } from './trail-cursor';
import { readTail } from './trail-tail';

const DAY_FILE = /^audit-\d{4}-\d{2}-\d{2}\.jsonl$/;

/** The file of the UTC day a record was made on. */
const fileOf = ({ time }: Link): string => `audit-${time.slice(0, 10)}.jsonl`;

/**
 * The exported records: one JSONL file per UTC day. The last whole line is the cursor, so a line and the knowledge that
 * it was written are one write, and a crash between the two cannot happen.
 */
export class Trail {
  private file: AppendedFile | null = null;

  private constructor(
    private readonly folder: string,
    private at: Position,
    /** Why the files end before what was known to be written: somebody moved or cut them. */
    readonly note: string | null,
  ) {}

  /**
   * Finds out how far the export came. Removes what a crash left behind: an unfinished last line, and lines that never
   * reached the disk as a whole.
   *
   * @throws TrailFault when what was safely written has changed since
   */
  static async open(folder: string): Promise<Trail> {
    await mkdir(folder, { recursive: true, mode: 0o750 });
    const cursor = await readCursor(folder);
    const found = await lastRecord(folder, cursor);
    if (cursor && found?.seq === cursor.seq && found.hash !== cursor.hash)
      throw new TrailFault(`Record ${cursor.seq} in ${folder} is not the one that was written there.`);
    const at = [found, cursor].filter((p) => p !== null).sort((a, b) => b.seq - a.seq)[0];
    const moved = cursor !== null && (found?.seq ?? 0) < cursor.seq;
    const note = moved
      ? `the files end before record ${cursor.seq}, which was written; they were moved away or cut`
      : null;
    return new Trail(folder, at ? { seq: at.seq, hash: at.hash } : { seq: 0, hash: GENESIS }, note);
  }

  /** The last record written. */
  get position(): Position {
    return this.at;
  }

  /** False once somebody else touched the open file; then open the trail again. */
  async isOurs(): Promise<boolean> {
    return this.file === null || this.file.isOurs();
  }

  /**
   * Appends records and resolves when they are on the disk.
   * @throws TrailFault when a line is not the chain's next record; those before it are written
   */
  async append(lines: readonly string[]): Promise<void> {
    let file: string | null = null;
    let batch: string[] = [];
    let at = this.at;
    for (const line of lines) {
      const link = follows(at, line);
      if (!link) {
        await this.write(file, batch, at);
        throw new TrailFault(`The table holds no good record ${at.seq + 1} that follows on record ${at.seq}.`);
      }
      if (fileOf(link) !== file) {
        await this.write(file, batch, at);
        file = fileOf(link);
        batch = [];
      }
      batch.push(line);
      at = { seq: link.seq, hash: link.hash };
    }
    await this.write(file, batch, at);
  }

  /** Opens the file anew with the next record: after a log rotation has renamed it. */
  async close(): Promise<void> {
    await this.file?.close();
    this.file = null;
  }

  private async write(name: string | null, lines: readonly string[], at: Position): Promise<void> {
    if (name === null || lines.length === 0) return;
    const path = join(this.folder, name);
    if (this.file?.path !== path) {
      await this.close();
      this.file = await AppendedFile.open(path);
    }
    await this.file?.append(lines);
    this.at = at;
    await writeCursor(this.folder, { file: name, size: this.file?.size ?? 0, ...at });
  }
}

/** The last record of the newest file that has one, after removing what a crash left. */
async function lastRecord(folder: string, cursor: TrailCursor | null): Promise<Position | null> {
  const names = (await readdir(folder)).filter((name) => DAY_FILE.test(name)).sort();
  for (const name of names.reverse()) {
    const last = await lastRecordOf(folder, name, cursor);
    if (last) return last;
  }
  return null;
}

async function lastRecordOf(folder: string, name: string, cursor: TrailCursor | null): Promise<Position | null> {
  const path = join(folder, name);
  const tail = await readTail(path);
  // What the cursor does not cover was never known to be on the disk; what it covers must be as it was.
  const unsafe = cursor !== null && (cursor.file < name || (cursor.file === name && tail.end >= cursor.size));
  if (tail.spoilt && !unsafe)
    throw new TrailFault(`${path} holds a line, at byte ${tail.end}, that is not the chain's next record.`);
  if (tail.end < tail.size) {
    const file = await AppendedFile.open(path);
    await file.truncate(tail.end);
    await file.close();
  }
  return tail.last;
}
