import { Global, Module, type DynamicModule } from '@nestjs/common';
import { Registry } from 'prom-client';
import { JobPrincipals } from './access/principal';
import { Clock, SystemClock } from './clock';
import { Config } from './config/config';
import { createDataSource } from './database/connection';
import { ChangeFeed } from './database/change-feed';
import { Database } from './database/database';
import type { Log } from './log/log';

/** Injection token of the process's log. */
export const LOG = Symbol('log');

/** Injection token of the runtime login's address, for the few connections that cannot come from the pool. */
export const DATABASE_URL = Symbol('database url');

export interface PlatformOptions {
  readonly config: Config;
  readonly log: Log;
  /** Login of the runtime; see `migrate` for the owner's. */
  readonly databaseUrl: string;
  /** Made by `auth`, which stands above; libs below it need principals for their own jobs all the same. */
  readonly jobPrincipals: JobPrincipals;
}

/** The only global module: what everything stands on and nothing of the product. */
@Global()
@Module({})
export class PlatformModule {
  static forRoot({ config, log, databaseUrl, jobPrincipals }: PlatformOptions): DynamicModule {
    return {
      module: PlatformModule,
      providers: [
        { provide: Config, useValue: config },
        { provide: LOG, useValue: log },
        { provide: DATABASE_URL, useValue: databaseUrl },
        { provide: JobPrincipals, useValue: jobPrincipals },
        { provide: Registry, useFactory: () => new Registry() },
        { provide: Clock, useClass: SystemClock },
        {
          provide: Database,
          useFactory: async () =>
            new Database(await createDataSource(databaseUrl, config.current.database.poolSize).initialize()),
        },
        { provide: ChangeFeed, useFactory: () => new ChangeFeed(databaseUrl, log) },
      ],
      exports: [Config, LOG, DATABASE_URL, JobPrincipals, Registry, Clock, Database, ChangeFeed],
    };
  }
}
