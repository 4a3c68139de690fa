import { AuditModule, RefusedAttempts } from '@app/audit';
import { AuthModule } from '@app/auth';
import { BillingModule, DeliveriesModule } from '@app/billing';
import { LOG, PlatformModule, type Log, type PlatformOptions } from '@app/platform';
import { PolicyModule } from '@app/policy';
import { PromptsModule } from '@app/prompts';
import { ProxyModule } from '@app/proxy';
import { QuotaModule, RequestRatesModule } from '@app/quota';
import { TenancyModule } from '@app/tenancy';
import { WebhooksModule } from '@app/webhooks';
import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { Registry } from 'prom-client';
import { ErrorFilter } from './error.filter';
import { HealthController } from './health.controller';
import { RefusalCounter } from './refusal-counter';
import { MetricsController } from './metrics.controller';

/** The whole gateway. */
@Module({})
export class AppModule {
  static forRoot(platform: PlatformOptions): DynamicModule {
    return {
      module: AppModule,
      // Routes are tried in this order, so the model path comes first.
      imports: [
        ProxyModule,
        PlatformModule.forRoot(platform),
        AuditModule,
        TenancyModule,
        BillingModule,
        DeliveriesModule,
        QuotaModule,
        PolicyModule,
        AuthModule,
        RequestRatesModule,
        WebhooksModule,
        PromptsModule,
      ],
      controllers: [HealthController, MetricsController],
      providers: [
        {
          provide: APP_FILTER,
          useFactory: (log: Log, refused: RefusedAttempts, registry: Registry) =>
            new ErrorFilter(log, refused, new RefusalCounter(registry)),
          inject: [LOG, RefusedAttempts, Registry],
        },
      ],
    };
  }
}
