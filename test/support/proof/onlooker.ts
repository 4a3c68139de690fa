import { Client } from 'pg';

/** A superuser's connection that takes it calmly when the server is killed: it answers `undefined` and comes back. */
export class Onlooker {
  private client: Client | undefined;

  constructor(private readonly url: string) {}

  async query<Row>(sql: string, params: readonly unknown[] = []): Promise<Row[] | undefined> {
    try {
      this.client ??= await this.connect();
      return (await this.client.query(sql, [...params])).rows as Row[];
    } catch (error) {
      await this.close();
      if (isAway(error)) return undefined;
      throw error;
    }
  }

  async close(): Promise<void> {
    const { client } = this;
    this.client = undefined;
    await client?.end().catch(() => undefined);
  }

  private async connect(): Promise<Client> {
    const client = new Client({
      connectionString: this.url,
      options: '-c search_path=openclawmu',
      connectionTimeoutMillis: 5_000,
    });
    // Every loss shows in the next query.
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }
}

/** What PostgreSQL itself objects to has a severity; its coming and going is class 57, a lost connection has none. */
function isAway(error: unknown): boolean {
  const { severity, code } = error as { severity?: string; code?: string };
  return severity === undefined || /^(57|08)/.test(code ?? '');
}
