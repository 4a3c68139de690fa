import { TrailFault } from './audit.errors';
import type { Position } from './chain';
import { isGenuine, signCheckpoint, type SigningKey } from './checkpoint';
import { CheckpointFile } from './checkpoint-file';
import type { ExportSession } from './export-session';
import { openSigningKey } from './signing-key';

/** Signs where the chain stands, in the table first and from there into the file. */
export class Checkpointer {
  private constructor(
    private readonly key: SigningKey,
    private readonly file: CheckpointFile,
    private lastAtMs: number,
  ) {}

  /** @param folder where the file of checkpoints lies */
  static async open(dataDir: string, folder: string): Promise<Checkpointer> {
    return new Checkpointer(await openSigningKey(dataDir), await CheckpointFile.open(folder), Date.now());
  }

  /** Whether there is something new to sign and the last time is at least so long ago. */
  isDue({ seq }: Position, everyMs: number): boolean {
    return seq > this.file.lastSeq && Date.now() - this.lastAtMs >= everyMs;
  }

  /** @throws TrailFault when somebody put a checkpoint into the table that this key did not sign */
  async sign(session: ExportSession, at: Position): Promise<void> {
    await session.saveCheckpoint(signCheckpoint(this.key, at, new Date()));
    const missing = await session.checkpointsAfter(this.file.lastSeq, this.key.id);
    for (const checkpoint of missing) {
      if (!isGenuine(checkpoint, this.key.publicKey))
        throw new TrailFault(`The checkpoint of record ${checkpoint.seq} in the table is forged.`);
    }
    await this.file.append(missing);
    this.lastAtMs = Date.now();
  }

  close(): Promise<void> {
    return this.file.close();
  }
}
