import pg, {
  types,
  type Client,
  type ClientBase,
  type ClientConfig,
  type CustomTypesConfig,
  type PoolConfig,
} from 'pg';
import {
  DataSource,
  DefaultNamingStrategy,
  getMetadataArgsStorage,
  type DataSourceOptions,
  type NamingStrategyInterface,
} from 'typeorm';

export const SCHEMA = 'openclawmu';

/** `bigint`, and `numeric`, which sums of it are. */
const WHOLE: ReadonlySet<number> = new Set([20, 1700]);

/** Amounts and counters are `bigint` in the database and stay `bigint` here, as do their sums; pg would give strings. */
const toBigint = (text: string): bigint => BigInt(text);
const wholeAsBigint: CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    WHOLE.has(oid) && format !== 'binary' ? toBigint : (types.getTypeParser(oid, format) as typeof toBigint),
};

/** Settings every connection of ours has, pooled or not. */
export const sessionSettings = {
  types: wholeAsBigint,
  options: `-c search_path=${SCHEMA} -c timezone=UTC -c idle_in_transaction_session_timeout=60000`,
  application_name: 'openclawmu',
  keepAlive: true,
} satisfies ClientConfig;

/**
 * A connection may break at a moment when neither the pool nor TypeORM listens, with a server that ends right when it is handed over.
 * Unheard, that would end the process; whoever uses the connection learns of it anyway.
 */
const outlivesItsServer = {
  onConnect: (client: ClientBase) => void client.on('error', () => undefined),
} satisfies PoolConfig;

/** The proof of the password takes 3 ms of a processor, and what waits for a connection is mostly a burst: they stay for the next one. */
const staysForTheNext = { idleTimeoutMillis: 300_000 } satisfies PoolConfig;

/** `costCenter` is the column `cost_center`. */
class SnakeNaming extends DefaultNamingStrategy implements NamingStrategyInterface {
  override columnName(property: string, custom: string | undefined, prefixes: string[]): string {
    return custom ?? snake([...prefixes, property].join('_'));
  }
}

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/**
 * A TypeORM data source on our schema. Its entities are all classes decorated with `@Entity` that have been loaded,
 * so a lib need not hand its entities over its door.
 */
export function createDataSource(url: string, poolSize: number, extra: Partial<DataSourceOptions> = {}): DataSource {
  return new DataSource({
    type: 'postgres',
    driver: pg,
    url,
    schema: SCHEMA,
    poolSize,
    connectTimeoutMS: 5_000,
    namingStrategy: new SnakeNaming(),
    entities: getMetadataArgsStorage().tables.map((table) => table.target as () => void),
    synchronize: false,
    installExtensions: false,
    invalidWhereValuesBehavior: { null: 'throw', undefined: 'throw' },
    extra: { ...sessionSettings, ...outlivesItsServer, ...staysForTheNext },
    ...extra,
  } as DataSourceOptions);
}

/**
 * Connects, and hears of a channel as the platform. Where that fails nothing stays open, and nobody waits for a server that may be
 * silent: the client should have a `query_timeout`.
 */
export async function listen(client: Client, channel: string): Promise<void> {
  try {
    await client.connect();
    await client.query(`SET ROLE openclawmu_platform; LISTEN ${channel}`);
  } catch (error) {
    void client.end().catch(() => undefined);
    throw error;
  }
}
