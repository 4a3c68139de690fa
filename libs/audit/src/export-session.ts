import { hostname } from 'node:os';
import { Client } from 'pg';
import { listen, sessionSettings } from '@app/platform';
import type { Position } from './chain';
import type { Checkpoint } from './checkpoint';

const CHANNEL = 'openclawmu_audit';
const QUERY_TIMEOUT_MS = 10_000;

interface CheckpointRow {
  readonly seq: bigint;
  readonly time: Date;
  readonly hash: string;
  readonly key_id: string;
  readonly signature: string;
}

/**
 * The exporter's own connection. It holds the lock of the data directory for as long as it lives, and the records are
 * read over it and no other: who has lost the lock reads nothing more.
 */
export class ExportSession {
  private locked = false;

  private constructor(
    private readonly client: Client,
    private readonly lockName: string,
  ) {}

  /**
   * @param folder the real path of the data directory
   * @param onRecord called when somebody has recorded something
   * @param onLost called once when the connection breaks
   */
  static async connect(
    url: string,
    folder: string,
    onRecord: () => void,
    onLost: (error?: Error) => void,
  ): Promise<ExportSession> {
    const client = new Client({
      connectionString: url,
      ...sessionSettings,
      connectionTimeoutMillis: 5_000,
      query_timeout: QUERY_TIMEOUT_MS,
    });
    client.on('error', onLost);
    client.on('notification', onRecord);
    await listen(client, CHANNEL);
    return new ExportSession(client, `openclawmu audit export ${hostname()}:${folder}`);
  }

  /** Tries to become the only exporter of the data directory. */
  async lock(): Promise<boolean> {
    if (this.locked) return true;
    const { rows } = await this.client.query<{ got: boolean }>(
      'SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS got',
      [this.lockName],
    );
    this.locked = rows[0]?.got ?? false;
    return this.locked;
  }

  /** The lines that come after a record, oldest first. */
  async linesAfter(seq: number, limit: number): Promise<string[]> {
    const { rows } = await this.client.query<{ line: string }>(
      'SELECT line FROM audit_records WHERE seq > $1 ORDER BY seq LIMIT $2',
      [seq, limit],
    );
    return rows.map(({ line }) => line);
  }

  /** Whether the table has this very record. */
  async has({ seq, hash }: Position): Promise<boolean> {
    const { rowCount } = await this.client.query('SELECT 1 FROM audit_records WHERE seq = $1 AND hash = $2', [
      seq,
      hash,
    ]);
    return rowCount === 1;
  }

  async saveCheckpoint({ seq, time, hash, keyId, signature }: Checkpoint): Promise<void> {
    await this.client.query(
      `INSERT INTO audit_checkpoints (seq, time, hash, key_id, signature) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT DO NOTHING`,
      [seq, time, hash, keyId, signature],
    );
  }

  async checkpointsAfter(seq: number, keyId: string): Promise<Checkpoint[]> {
    const { rows } = await this.client.query<CheckpointRow>(
      'SELECT seq, time, hash, key_id, signature FROM audit_checkpoints WHERE seq > $1 AND key_id = $2 ORDER BY seq',
      [seq, keyId],
    );
    return rows.map((row) => ({
      seq: Number(row.seq),
      time: row.time.toISOString(),
      hash: row.hash,
      keyId: row.key_id,
      signature: row.signature,
    }));
  }

  async close(): Promise<void> {
    await this.client.end().catch(() => undefined);
  }
}
