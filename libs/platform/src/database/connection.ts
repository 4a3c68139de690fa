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
import { SilenceWatch } from './silence-watch';

export const SCHEMA = 'openclawmu';

/** `bigint`, and `numeric`, which sums of it are. */
const WHOLE: ReadonlySet<number> = new Set([20, 1700]);

/** Amounts and counters are `bigint` in the database and stay `bigint` here, as do their sums; pg would give strings. */
const toBigint = (text: string): bigint => BigInt(text);
const wholeAsBigint: CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    WHOLE.has(oid) && format !== 'binary' ? toBigint : (types.getTypeParser(oid, format) as typeof toBigint),
};

/**
 * What our statements and the reading of their answers rely on, whatever somebody has set for the server, the database or the login.
 * A lock that an administrator's session keeps must not keep callers waiting for as long; and sessions that only listen are meant to stay.
 */
const PARAMETERS = {
  search_path: SCHEMA,
  timezone: 'UTC',
  datestyle: 'ISO',
  intervalstyle: 'postgres',
  bytea_output: 'hex',
  row_security: 'on',
  default_transaction_isolation: 'read\\ committed',
  lock_timeout: '10s',
  idle_in_transaction_session_timeout: '60s',
  idle_session_timeout: '0',
};

/** Settings every connection of ours has, pooled or not. */
export const sessionSettings = {
  types: wholeAsBigint,
  options: Object.entries(PARAMETERS)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' '),
  application_name: 'openclawmu',
  keepAlive: true,
  // The system's own is two hours: so long would a session only listen to a server that is gone.
  keepAliveInitialDelayMillis: 10_000,
} satisfies ClientConfig;

/**
 * A connection may break at a moment when neither the pool nor TypeORM listens, with a server that ends right when it is handed over.
 * Unheard, that would end the process; whoever uses the connection learns of it anyway.
 */
const outlivesItsServer = (watch: SilenceWatch): PoolConfig => ({
  onConnect: (client: ClientBase) => {
    client.on('error', () => undefined);
    watch.over(client);
  },
});

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
    extra: {
      ...sessionSettings,
      ...outlivesItsServer(new SilenceWatch({ connectionString: url, ...sessionSettings })),
      ...staysForTheNext,
    },
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
