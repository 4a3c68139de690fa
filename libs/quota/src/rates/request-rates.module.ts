import { Module } from '@nestjs/common';
import { APP_GUARD, Reflector } from '@nestjs/core';
import { AuditModule } from '@app/audit';
import { Clock } from '@app/platform';
import { KnownLimits } from './known-limits.service';
import { RequestAllowances } from './request-allowances.service';
import { RequestRateGuard } from './request-rate.guard';
import { TenantLimitsController } from './tenant-limits.controller';
import { TenantLimits } from './tenant-limits.service';
import { TenantThrottler } from './tenant-throttler.guard';

/** Requests a minute. Imported after the module whose guards say who is calling: global guards run in the order of modules. */
@Module({
  imports: [AuditModule],
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
    { provide: APP_GUARD, useClass: RequestRateGuard },
  ],
})
export class RequestRatesModule {}
