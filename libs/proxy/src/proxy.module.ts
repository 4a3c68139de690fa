import { BillingModule, Ledger } from '@app/billing';
import { Config } from '@app/platform';
import { QuotaModule, Settlements } from '@app/quota';
import { TenancyModule } from '@app/tenancy';
import { Module, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { ActiveCalls } from './active-calls';
import { DemoProvider } from './demo-provider';
import { LedgerBridge } from './ledger-sink';
import { ModelListController } from './model-list.controller';
import { ModelController } from './model.controller';
import { ProxyService } from './proxy.service';
import { Upstream } from './upstream';

/** Where money, tokens and providers meet. */
@Module({
  imports: [BillingModule, QuotaModule, TenancyModule],
  controllers: [ModelController, ModelListController],
  providers: [
    ProxyService,
    ActiveCalls,
    {
      provide: Upstream,
      useFactory: async (config: Config) => new Upstream(config, await DemoProvider.start()),
      inject: [Config],
    },
  ],
  exports: [ProxyService, ActiveCalls, Upstream],
})
export class ProxyModule implements OnModuleInit, OnApplicationShutdown {
  constructor(
    private readonly settlements: Settlements,
    private readonly ledger: Ledger,
    private readonly upstream: Upstream,
  ) {}

  onModuleInit(): void {
    this.settlements.sink(new LedgerBridge(this.ledger));
  }

  onApplicationShutdown(): Promise<void> {
    return this.upstream.close();
  }
}
