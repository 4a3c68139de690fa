import { ChangeFeed, createDataSource, createLog, Database } from '@app/platform';
import { createDatabase, MIGRATED, type TestDatabase } from './database';

/** A fresh database with our schema, and the door to it as the gateway's own login opens it. */
export interface GatewayDatabase {
  readonly database: Database;
  readonly urls: Pick<TestDatabase, 'ownerUrl' | 'gatewayUrl' | 'superuserUrl'>;
  /** What another gateway process on the same database has: its own door and its own ear. Closed with the rest. */
  otherProcess(): Promise<{ database: Database; changes: ChangeFeed }>;
  close(): Promise<void>;
}

export const silentLog = createLog('silent');

export async function openGatewayDatabase(): Promise<GatewayDatabase> {
  const created = await createDatabase(MIGRATED);
  const opened: { close(): Promise<void> }[] = [];
  const open = async (): Promise<Database> => {
    const database = new Database(await createDataSource(created.gatewayUrl, 10).initialize());
    opened.push(database);
    return database;
  };
  return {
    database: await open(),
    urls: created,
    async otherProcess() {
      const changes = new ChangeFeed(created.gatewayUrl, silentLog);
      await changes.start();
      opened.push({ close: () => changes.stop() });
      return { database: await open(), changes };
    },
    async close() {
      await Promise.all(opened.map((door) => door.close()));
      await created.drop();
    },
  };
}
