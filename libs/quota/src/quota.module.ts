import { Module, type Provider } from '@nestjs/common';
import { Audit, AuditModule } from '@app/audit';
import { ChangeFeed, Clock, Config, Database, DATABASE_URL, JobPrincipals, LOG, type Log } from '@app/platform';
import { Webhooks, WebhooksModule } from '@app/webhooks';
import { AdminBudgetsController } from './admin-budgets.controller';
import { assembleQuota, type AssembledQuota } from './assemble';
import { BudgetsService } from './budgets.service';
import { BudgetCheckController } from './check/budget-check.controller';
import { BudgetCheck } from './check/budget-check.service';
import { GatewayProcess } from './gateway-process.service';
import { BudgetFigures } from './figures/budget-figures.service';
import { Holds } from './holds.service';
import { LostProcessesController } from './lost/lost-processes.controller';
import { LostProcesses } from './lost/lost-processes.service';
import { Meters } from './meters';
import { OrganisationBudgetsController } from './organisation-budgets.controller';
import { Quota } from './quota.service';
import { Settlements } from './settlements.service';
import { TenantBudgetsController } from './tenant-budgets.controller';

const ASSEMBLED = Symbol('assembled quota');

const part = (token: Provider & (new (...args: never[]) => unknown), pick: (quota: AssembledQuota) => unknown) => ({
  provide: token,
  useFactory: pick,
  inject: [ASSEMBLED],
});

/** Holds, settlements and budgets. The application calls `Quota.start` when the schema is ready, and `Quota.drain` at the end. */
@Module({
  imports: [AuditModule, WebhooksModule],
  controllers: [
    AdminBudgetsController,
    OrganisationBudgetsController,
    BudgetCheckController,
    TenantBudgetsController,
    LostProcessesController,
  ],
  providers: [
    {
      provide: ASSEMBLED,
      inject: [Config, Database, DATABASE_URL, ChangeFeed, JobPrincipals, Clock, LOG, Webhooks],
      useFactory: (
        config: Config,
        database: Database,
        databaseUrl: string,
        changes: ChangeFeed,
        jobs: JobPrincipals,
        clock: Clock,
        log: Log,
        webhooks: Webhooks,
      ) => {
        const { dataDir, timezone, journal } = config.current;
        const waitMs = (): number => config.current.budgets.waitMs;
        return assembleQuota({
          database,
          databaseUrl,
          changes,
          jobs,
          clock,
          log,
          webhooks,
          dataDir,
          timezone,
          journal,
          waitMs,
        });
      },
    },
    part(GatewayProcess, ({ process }) => process),
    part(Quota, ({ quota }) => quota),
    part(Holds, ({ holds }) => holds),
    part(Settlements, ({ settlements }) => settlements),
    part(Meters, ({ meters }) => meters),
    {
      provide: LostProcesses,
      inject: [ASSEMBLED, Database, Audit],
      useFactory: ({ place, settlements }: AssembledQuota, database: Database, audit: Audit) =>
        new LostProcesses(database, audit, place, settlements),
    },
    BudgetsService,
    BudgetCheck,
    BudgetFigures,
  ],
  exports: [GatewayProcess, Quota, Holds, Settlements, BudgetsService, LostProcesses, BudgetFigures],
})
export class QuotaModule {}
