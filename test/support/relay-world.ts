import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { stringify } from 'yaml';
import { Audit, RefusedAttempts } from '@app/audit';
import { CodedError, Config, newId, renderError } from '@app/platform';
import { KnownPolicies } from '@app/policy';
import { BudgetsService } from '@app/quota';
import { TokenDirectory, TokenLookup } from '@app/tenancy';
import { Prices } from '../../libs/billing/src/catalogue/prices.service';
import { UnpricedCalls } from '../../libs/billing/src/catalogue/unpriced-calls.service';
import { BillingWorld } from '../../libs/billing/test/billing-world';
import { ActiveCalls } from '../../libs/proxy/src/active-calls';
import { HttpSink, type AnswerSink } from '../../libs/proxy/src/answer/answer-sink';
import { Admission } from '../../libs/proxy/src/money/admission.service';
import { AnswerStore } from '../../libs/proxy/src/cache/answer-store.service';
import { CacheMetrics } from '../../libs/proxy/src/cache/cache-metrics';
import { ResponseCache } from '../../libs/proxy/src/cache/response-cache.service';
import { InputCounter } from '../../libs/proxy/src/counting/input-counter';
import { TokenCounter } from '../../libs/proxy/src/counting/token-counter';
import { DemoProvider } from '../../libs/proxy/src/demo/demo-provider';
import { BudgetBridge } from '../../libs/proxy/src/money/budget-bridge';
import { LedgerBridge } from '../../libs/proxy/src/money/ledger-sink';
import { RequestIntake } from '../../libs/proxy/src/request/intake.service';
import { Offer } from '../../libs/proxy/src/models/offer';
import { PolicyDoor } from '../../libs/proxy/src/policy/policy-door.service';
import { PolicyMetrics } from '../../libs/proxy/src/policy/policy-metrics';
import { registerProviderMetrics } from '../../libs/proxy/src/provider/provider-metrics';
import { ProxyService } from '../../libs/proxy/src/proxy.service';
import { readBody } from '../../libs/proxy/src/request/read-body';
import { SealedThoughts } from '../../libs/proxy/src/thoughts/sealed-thoughts.service';
import { Upstream } from '../../libs/proxy/src/upstream';
import { DIALECT_OF, PATH_OF, WIRES } from '../../libs/proxy/src/wire';
import { assembleQuota, type AssembledQuota } from '../../libs/quota/src/assemble';
import type { BudgetKey } from '../../libs/quota/src/budget.dto';
import { socketFolder } from '../../libs/quota/src/liveness-socket';
import { eventually } from './department';
import { silentLog } from './gateway-database';
import { jobPrincipals, tenantPrincipal } from './principals';

/** What became of a call, as the ledger has it. */
export interface Booked {
  readonly status: string;
  readonly outcome: string;
  readonly cost: bigint;
  readonly output: number;
}

/**
 * The model path of one process with everything real but Nest and the guards: sockets on both sides, database, journal,
 * ledger. A tenant's name is the path's first part, so that every test has a budget of its own:
 * `POST /finance/v1/chat/completions`.
 */
export class RelayWorld {
  /** Endings of the calls so far: `null` for those that were answered, the error for the others. */
  readonly endings: unknown[] = [];
  /** Tenants that would rather have a shorter answer than a refusal. */
  readonly clamping = new Set<string>();
  readonly #folder: string;
  private readonly server: Server;

  private constructor(
    readonly billing: BillingWorld,
    readonly quota: AssembledQuota,
    readonly calls: ActiveCalls,
    readonly upstream: Upstream,
    readonly proxy: ProxyService,
    readonly config: Config,
    readonly registry: Registry,
    private readonly watch: (sink: AnswerSink) => AnswerSink,
  ) {
    this.#folder = config.current.dataDir;
    this.server = createServer((request, response) => void this.serve(request, response));
  }

  /**
   * @param models name → provider and the provider's name for it; at 3 in and 15 out per million tokens, or what is given
   * @param settings further ones
   * @param watch sees every call's sink, to stand between the exchange and the client
   */
  static async open(
    providers: Record<string, unknown>,
    models: Record<string, readonly [provider: string, upstreamModel: string, input?: string, output?: string]>,
    watch: (sink: AnswerSink) => AnswerSink = (sink) => sink,
    settings: Record<string, unknown> = {},
  ): Promise<RelayWorld> {
    const billing = await BillingWorld.open();
    const folder = await mkdtemp(join(tmpdir(), 'relay-test-'));
    const file = join(folder, 'openclawmu.yaml');
    await writeFile(file, stringify({ dataDir: folder, providers, ...settings }));
    const config = Config.load(file, {});
    const { database, changes } = await billing.db.otherProcess();
    const quota = assembleQuota({
      waitMs: () => 100,
      database,
      databaseUrl: billing.db.urls.gatewayUrl,
      changes,
      jobs: jobPrincipals,
      clock: billing.clock,
      log: silentLog,
      webhooks: { announce: () => Promise.resolve() },
      dataDir: folder,
      timezone: 'UTC',
      journal: { sync: 'write' },
    });
    quota.settlements.sink(new LedgerBridge(billing.ledger));
    billing.booking.budgets(new BudgetBridge(quota.settlements));
    await quota.quota.start();
    const tokens = new TokenDirectory(new TokenLookup(database, jobPrincipals), changes, billing.clock, silentLog);
    const registry = new Registry();
    const calls = new ActiveCalls(tokens, registry);
    const upstream = new Upstream(config, await DemoProvider.start(), silentLog);
    registerProviderMetrics(registry, () => upstream.views);
    const counter = new InputCounter(upstream, new TokenCounter());
    const prices = new Prices(billing.catalogue, billing.clock, new UnpricedCalls(billing.clock, registry, silentLog));
    const admission = new Admission(quota.holds, counter, prices);
    const policies = new KnownPolicies(database, jobPrincipals, changes, silentLog);
    await policies.onModuleInit();
    const refused = new RefusedAttempts(database, jobPrincipals, silentLog);
    const door = new PolicyDoor(policies, refused, new PolicyMetrics(registry), config);
    const thoughts = new SealedThoughts(config, refused);
    const intake = new RequestIntake(door, new Offer(billing.catalogue, upstream, config), thoughts);
    const metrics = new CacheMetrics(registry);
    const store = new AnswerStore(database, metrics, silentLog);
    const cache = new ResponseCache(store, metrics, admission, upstream, config);
    const proxy = new ProxyService(intake, admission, upstream, calls, cache);
    await billing.priceAt(
      Object.fromEntries(Object.entries(models).map(([id, [, , input = '3', output = '15']]) => [id, [input, output]])),
    );
    const limits = { contextTokens: 200_000, maxOutputTokens: 1_000 };
    const cards = [billing.catalogue.card(1)].flatMap((card) => card ?? []);
    const entries = Object.entries(models).map(([id, [provider, upstreamModel]]) => ({
      ...{ id, provider, upstreamModel, displayName: id },
      ...limits,
    }));
    billing.catalogue.replace({ models: entries, cards });
    const world = new RelayWorld(billing, quota, calls, upstream, proxy, config, registry, watch);
    await new Promise<void>((listening) => world.server.listen(0, '127.0.0.1', listening));
    return world;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The tenant's only row as it stands in the ledger, once it is booked; fails if there is another. */
  async row(tenant: string): Promise<Readonly<Record<string, string | null>>> {
    await this.quota.settlements.flush();
    const rows = await eventually(
      () =>
        this.billing.asSuperuser<Record<string, string | null>>('SELECT * FROM ledger WHERE tenant_id = $1', [tenant]),
      ({ length }) => length > 0,
    );
    const [row] = rows;
    if (row === undefined || rows.length > 1) throw new Error(`${rows.length} rows for one call`);
    return row;
  }

  /** What is told of that row in most tests. */
  async booked(tenant: string): Promise<Booked> {
    const { status, outcome, cost_nanos: cost, output_tokens: output } = await this.row(tenant);
    return { status: String(status), outcome: String(outcome), cost: BigInt(cost ?? -1), output: Number(output) };
  }

  /** Sets the budget of the month of a tenant, or the organisation, or of what is given. */
  async limit(tenant: string | null, limit: string, of: Partial<BudgetKey> = {}): Promise<void> {
    const budgets = new BudgetsService(
      this.billing.db.database,
      new Audit(),
      this.quota.meters,
      this.quota.settlements,
      this.config,
    );
    await budgets.set(this.billing.admin, tenant, { metric: 'cost', period: 'month', ...of, limit });
  }

  async rowsOf(tenant: string): Promise<number> {
    await this.quota.settlements.flush();
    const [row] = await this.billing.asSuperuser<{ n: string }>(
      'SELECT count(*) AS n FROM ledger WHERE tenant_id = $1',
      [tenant],
    );
    return Number(row?.n);
  }

  /** Resolves when no call is in flight and nothing is held for one. */
  async quiet(): Promise<void> {
    await eventually(() => this.calls.count === 0 && this.quota.holds.facts.open === 0);
    const { heldNanos } = this.quota.holds.facts;
    if (heldNanos !== 0n) throw new Error(`${heldNanos} nanos are held for nothing`);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((closed) => this.server.close(closed));
    await this.upstream.close();
    await this.quota.quota.close();
    await this.billing.close();
    for (const folder of [this.#folder, socketFolder(this.#folder)]) await rm(folder, { recursive: true, force: true });
  }

  /** What the controller and the error filter do. */
  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, tenantId = '', path = ''] = /^\/(\w+)(\/.*)$/.exec(request.url ?? '') ?? [];
    const wire = WIRES.find((one) => path.startsWith(PATH_OF[one])) ?? 'chat';
    const id = newId('req');
    try {
      const body = await readBody(request, 1_000_000, 5_000);
      const sink = this.watch(new HttpSink(response, wire, id));
      const principal = tenantPrincipal(tenantId, {
        ...{ id: `tok_${tenantId}`, subject: `ann@${tenantId}`, clampsOutput: this.clamping.has(tenantId) },
      });
      await this.proxy.answer(principal, { id, wire, path, headers: request.headers, body }, sink, {
        tell: (call) =>
          response.destroyed ? call.cut('client left') : response.once('close', () => call.cut('client left')),
      });
      this.endings.push(null);
    } catch (error) {
      this.endings.push(error);
      if (!(error instanceof CodedError)) throw error;
      if (response.headersSent) return void response.destroy();
      const rendered = renderError(error, DIALECT_OF[wire], id);
      response.writeHead(rendered.status, rendered.headers).end(rendered.body);
    }
  }
}
