import { Module, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { APP_GUARD, Reflector } from '@nestjs/core';
import { AuditModule } from '@app/audit';
import { ChangeFeed, Clock, Config, Database, JobPrincipals, LOG, type Log } from '@app/platform';
import { ConcurrencyGuard } from '../concurrency/concurrency.guard';
import { ConcurrentRequests } from '../concurrency/concurrent-requests.service';
import { GatewayProcess } from '../gateway-process.service';
import { QuotaModule } from '../quota.module';
import { KnownLimits } from './known-limits.service';
import { RequestAllowances } from './request-allowances.service';
import { RequestRateGuard } from './request-rate.guard';
import { TenantLimitsController } from './tenant-limits.controller';
import { TenantLimits } from './tenant-limits.service';
import { TenantThrottler } from './tenant-throttler.guard';

/** Requests a minute, and at the same time. Imported after the module whose guards say who is calling: global guards run in the order of modules. */
@Module({
  imports: [AuditModule, QuotaModule],
  controllers: [TenantLimitsController],
  providers: [
    TenantLimits,
    KnownLimits,
    RequestAllowances,
    {
      provide: TenantThrottler,
      inject: [KnownLimits, RequestAllowances, Reflector, Clock],
      useFactory: (limits: KnownLimits, allowances: RequestAllowances, reflector: Reflector, clock: Clock) =>
        new TenantThrottler(limits, allowances, reflector, clock),
    },
    {
      provide: ConcurrentRequests,
      inject: [Database, JobPrincipals, LOG, GatewayProcess, Config],
      useFactory: (database: Database, jobs: JobPrincipals, log: Log, process: GatewayProcess, config: Config) =>
        new ConcurrentRequests(database, jobs, log, process.id, () => config.current.budgets.waitMs),
    },
    { provide: APP_GUARD, useClass: RequestRateGuard },
    { provide: APP_GUARD, useClass: ConcurrencyGuard },
  ],
})
export class RequestRatesModule implements OnModuleInit, OnApplicationShutdown {
  constructor(
    private readonly requests: ConcurrentRequests,
    private readonly changes: ChangeFeed,
  ) {}

  onModuleInit(): void {
    this.requests.start(this.changes);
  }

  onApplicationShutdown(): Promise<void> {
    return this.requests.stop();
  }
}
