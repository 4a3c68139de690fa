import { AuditModule } from '@app/audit';
import { BillingModule, CorrectionBooking, Ledger } from '@app/billing';
import { Config, LOG, type Log } from '@app/platform';
import { PolicyModule } from '@app/policy';
import { PromptsModule } from '@app/prompts';
import { QuotaModule, Settlements } from '@app/quota';
import { TenancyModule } from '@app/tenancy';
import { Module, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Registry } from 'prom-client';
import { ActiveCalls } from './active-calls';
import { AnswerStore } from './cache/answer-store.service';
import { CacheMetrics } from './cache/cache-metrics';
import { CacheSweeper } from './cache/cache-sweeper.service';
import { CachesController } from './cache/caches.controller';
import { CachesService } from './cache/caches.service';
import { OwnCacheController } from './cache/own-cache.controller';
import { ResponseCache } from './cache/response-cache.service';
import { CountTokensController } from './count-tokens.controller';
import { InputCounter } from './counting/input-counter';
import { TokenCounter } from './counting/token-counter';
import { TokenCounts } from './counting/token-counts.service';
import { DemoProvider } from './demo/demo-provider';
import { ModelController } from './model.controller';
import { ModelListController } from './models/model-list.controller';
import { Offer } from './models/offer';
import { Admission } from './money/admission.service';
import { BudgetBridge } from './money/budget-bridge';
import { LedgerBridge } from './money/ledger-sink';
import { PolicyDoor } from './policy/policy-door.service';
import { PolicyMetrics } from './policy/policy-metrics';
import { registerProviderMetrics } from './provider/provider-metrics';
import { ProvidersController } from './provider/providers.controller';
import { ProxyService } from './proxy.service';
import { RequestIntake } from './request/intake.service';
import { Telemetry } from './telemetry/telemetry.service';
import { SealedThoughts } from './thoughts/sealed-thoughts.service';
import { Upstream } from './upstream';

/** Where money, tokens and providers meet. */
@Module({
  imports: [AuditModule, BillingModule, PolicyModule, PromptsModule, QuotaModule, TenancyModule],
  controllers: [
    ModelController,
    CountTokensController,
    ModelListController,
    ProvidersController,
    CachesController,
    OwnCacheController,
  ],
  providers: [
    ProxyService,
    TokenCounts,
    Offer,
    RequestIntake,
    SealedThoughts,
    PolicyDoor,
    { provide: PolicyMetrics, useFactory: (registry: Registry) => new PolicyMetrics(registry), inject: [Registry] },
    Admission,
    ActiveCalls,
    Telemetry,
    CacheMetrics,
    AnswerStore,
    ResponseCache,
    CachesService,
    CacheSweeper,
    {
      provide: Upstream,
      useFactory: async (config: Config, registry: Registry, log: Log) => {
        const upstream = new Upstream(config, await DemoProvider.start(), log);
        registerProviderMetrics(registry, () => upstream.views);
        return upstream;
      },
      inject: [Config, Registry, LOG],
    },
    { provide: TokenCounter, useFactory: () => new TokenCounter() },
    {
      provide: InputCounter,
      useFactory: (upstream: Upstream, tokens: TokenCounter) => new InputCounter(upstream, tokens),
      inject: [Upstream, TokenCounter],
    },
  ],
  exports: [ProxyService, ActiveCalls, Upstream],
})
export class ProxyModule implements OnModuleInit, OnApplicationShutdown {
  constructor(
    private readonly settlements: Settlements,
    private readonly ledger: Ledger,
    private readonly corrections: CorrectionBooking,
    private readonly upstream: Upstream,
    private readonly tokens: TokenCounter,
  ) {}

  onModuleInit(): void {
    this.settlements.sink(new LedgerBridge(this.ledger));
    this.corrections.budgets(new BudgetBridge(this.settlements));
  }

  async onApplicationShutdown(): Promise<void> {
    await this.tokens.close();
    await this.upstream.close();
  }
}
