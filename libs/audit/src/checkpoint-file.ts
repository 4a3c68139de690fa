import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppendedFile } from './appended-file';
import { readCheckpoint, type Checkpoint } from './checkpoint';

const FILE = 'checkpoints.jsonl';

/** Checkpoints outside the database, where whoever can alter the table does not reach them. */
export class CheckpointFile {
  private constructor(
    private readonly file: AppendedFile,
    private last: Checkpoint | null,
  ) {}

  /** Opens or makes the file and removes a line that a crash left unfinished. */
  static async open(folder: string): Promise<CheckpointFile> {
    const file = await AppendedFile.open(join(folder, FILE));
    const bytes = await readFile(file.path);
    const end = bytes.lastIndexOf(0x0a) + 1;
    if (end < bytes.length) await file.truncate(end);
    return new CheckpointFile(file, parse(bytes.subarray(0, end).toString('utf8')).at(-1) ?? null);
  }

  /** Those that have ever been written; none if there is no file. */
  static async read(folder: string): Promise<Checkpoint[]> {
    try {
      return parse(await readFile(join(folder, FILE), 'utf8'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  get lastSeq(): number {
    return this.last?.seq ?? 0;
  }

  /** Resolves when the lines are on the disk. */
  async append(checkpoints: readonly Checkpoint[]): Promise<void> {
    if (checkpoints.length === 0) return;
    await this.file.append(checkpoints.map((checkpoint) => JSON.stringify(checkpoint)));
    this.last = checkpoints.at(-1) ?? this.last;
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

const parse = (text: string): Checkpoint[] =>
  text
    .split('\n')
    .map(readCheckpoint)
    .filter((checkpoint) => checkpoint !== null);
