import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { AuditModule } from '@app/audit';
import { ChangeFeed, Clock, Config, Database, JobPrincipals, LOG, type Log } from '@app/platform';
import { AdminBudgetsController } from './admin-budgets.controller';
import { assembleQuota, type AssembledQuota } from './assemble';
import { BudgetsService } from './budgets.service';
import { Holds } from './holds.service';
import { Meters } from './meters';
import { Quota } from './quota.service';
import { Settlements } from './settlements.service';
import { TenantBudgetsController } from './tenant-budgets.controller';

const ASSEMBLED = Symbol('assembled quota');

const part = (token: Provider & (new (...args: never[]) => unknown), pick: (quota: AssembledQuota) => unknown) => ({
  provide: token,
  useFactory: pick,
  inject: [ASSEMBLED],
});

export interface QuotaOptions {
  /** Login of the runtime, for the connection that proves this process to be alive. */
  readonly databaseUrl: string;
}

/** Holds, settlements and budgets. The application calls `Quota.start` when the schema is ready, and `Quota.drain` at the end. */
@Module({})
export class QuotaModule {
  static forRoot({ databaseUrl }: QuotaOptions): DynamicModule {
    return {
      module: QuotaModule,
      imports: [AuditModule],
      controllers: [AdminBudgetsController, TenantBudgetsController],
      providers: [
        {
          provide: ASSEMBLED,
          inject: [Config, Database, ChangeFeed, JobPrincipals, Clock, LOG],
          useFactory: (
            { current: { dataDir, timezone, journal } }: Config,
            database: Database,
            changes: ChangeFeed,
            jobs: JobPrincipals,
            clock: Clock,
            log: Log,
          ) => assembleQuota({ database, databaseUrl, changes, jobs, clock, log, dataDir, timezone, journal }),
        },
        part(Quota, ({ quota }) => quota),
        part(Holds, ({ holds }) => holds),
        part(Settlements, ({ settlements }) => settlements),
        part(Meters, ({ meters }) => meters),
        BudgetsService,
      ],
      exports: [Quota, Holds, Settlements, BudgetsService],
    };
  }
}
