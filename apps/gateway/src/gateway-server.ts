import { Audit, AuditExporter, RefusedAttempts } from '@app/audit';
import { assertRoutesDeclared, JobPrincipalMint } from '@app/auth';
import { DeliveryRunner, LedgerFigures } from '@app/billing';
import {
  ChangeFeed,
  ConfigError,
  Database,
  migrate,
  NestLogger,
  type Config,
  type GatewayConfig,
  type Log,
} from '@app/platform';
import { PromptLog, PromptRecovery } from '@app/prompts';
import { ActiveCalls, Upstream } from '@app/proxy';
import { BudgetFigures, GatewayProcess, LostProcesses, Quota } from '@app/quota';
import { WebhookDeliverer } from '@app/webhooks';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Server } from 'node:http';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { AppModule } from './app.module';
import { banner } from './banner';
import { registerBudgetGauges } from './budget-gauges';
import { configureHttp } from './configure-http';
import { registerDeliveryGauges } from './delivery-gauges';
import { registerGauges, registerWebhookGauges } from './gauges';
import { GatewayHttpAdapter } from './http-adapter';
import { registerLostGauges } from './lost-gauges';
import { migrations } from './migrations';
import { ModelDoor } from './model-door';
import { OwnPostgres } from './own-postgres';
import { DOCS_ROUTES, serveDocs } from './swagger';

type ProcessAction = 'gateway.started' | 'gateway.stopped' | 'config.reloaded' | 'config.rejected';

/** No model call is open when connections are closed, and other requests take moments: the rest never said what it wants. */
const LINGER_MS = 1_000;

/** One gateway process from start to end. */
export class GatewayServer {
  readonly #jobs = new JobPrincipalMint();
  #postgres: OwnPostgres | null = null;
  #app: INestApplication | null = null;
  #exporter: AuditExporter | null = null;
  #stopping = false;

  constructor(
    private readonly config: Config,
    private readonly log: Log,
  ) {}

  /** @param isFirstStart whether the configuration was just made: then whoever started it is told what to try */
  async start(isFirstStart: boolean): Promise<void> {
    const settings = this.config.current;
    const { ownerUrl, gatewayUrl } = await this.databaseUrls(settings);
    const applied = await migrate({ ownerUrl, gatewayUrl, migrations });
    if (applied.length > 0) this.log.info({ migrations: applied }, 'the database schema was brought up to date');

    const platform = { config: this.config, log: this.log, databaseUrl: gatewayUrl, jobPrincipals: this.#jobs };
    const adapter = new GatewayHttpAdapter(settings.server);
    const app = (this.#app = await NestFactory.create(AppModule.forRoot(platform), adapter, {
      bodyParser: false,
      abortOnError: false,
      logger: new NestLogger(this.log),
    }));
    configureHttp(app);
    serveDocs(app);
    await app.init();
    assertRoutesDeclared(app, DOCS_ROUTES);
    adapter.door = ModelDoor.of(app);
    await app.get(ChangeFeed).start();
    await app.get(Quota).start();
    app.get(PromptLog).start(app.get(GatewayProcess));
    app.get(PromptRecovery).start(app.get(GatewayProcess));
    app.get(WebhookDeliverer).start();
    this.#exporter = new AuditExporter({
      databaseUrl: gatewayUrl,
      dataDir: settings.dataDir,
      checkpointMs: () => this.config.current.audit.checkpointMs,
      log: this.log,
    });
    this.#exporter.start();
    registerGauges(app.get(Registry), app.get(Quota), this.#exporter);
    const metrics = this.#jobs.for('metrics');
    registerBudgetGauges(app.get(Registry), app.get(BudgetFigures), app.get(LedgerFigures), metrics);
    registerLostGauges(app.get(Registry), app.get(LostProcesses), metrics);
    registerWebhookGauges(app.get(Registry), app.get(WebhookDeliverer));
    registerDeliveryGauges(app.get(Registry), app.get(DeliveryRunner));
    await app.listen(settings.server.port, settings.server.host);
    await this.record('start', 'gateway.started', `${hostname()}:${process.pid}`);
    process.stdout.write(banner(await app.getUrl(), isFirstStart, app.get(Upstream).names));
  }

  /** Reads the configuration again (SIGHUP); a bad one changes nothing. Log files are opened anew either way. */
  async reload(): Promise<void> {
    this.#exporter?.reopen();
    try {
      const changed = this.config.reload();
      this.log.level = this.config.current.logging.level;
      this.log.info({ changed }, 'the configuration was reloaded');
      await this.record('SIGHUP', 'config.reloaded', this.config.path, { after: { changed } });
    } catch (error) {
      this.log.error({ err: error }, 'the configuration was not reloaded; the former one stays in force');
      if (error instanceof ConfigError)
        await this.record('SIGHUP', 'config.rejected', this.config.path, { reason: error.problems.join('; ') });
    }
  }

  /** Finishes what is under way, settles it, and ends the process. A second signal does not wait for streams. */
  async stop(signal: string): Promise<void> {
    const calls = this.#app?.get(ActiveCalls);
    if (this.#stopping) {
      calls?.cutAll();
      return;
    }
    this.#stopping = true;
    this.log.info({ signal, calls: calls?.count ?? 0 }, 'draining');
    try {
      await calls?.drain(this.config.current.server.drainMs);
      await this.#app?.get(Quota).drain();
      await this.#app?.get(WebhookDeliverer).stop();
      await this.#app?.get(RefusedAttempts).drain();
      await this.record(signal, 'gateway.stopped', `${hostname()}:${process.pid}`);
      await this.#exporter?.stop();
      await this.#app?.get(ChangeFeed).stop();
      await this.closeConnections();
      await this.#app?.get(Database).close();
      await this.#postgres?.stop();
      this.log.info({ signal }, 'stopped');
      process.exit(0);
    } catch (error) {
      this.log.error({ err: error }, 'the shutdown was not clean; the journal settles the rest at the next start');
      process.exit(1);
    }
  }

  private async closeConnections(): Promise<void> {
    const server = this.#app?.getHttpServer() as Server | undefined;
    const timer = setTimeout(() => server?.closeAllConnections(), LINGER_MS);
    await this.#app?.close();
    clearTimeout(timer);
  }

  private async databaseUrls({ database, dataDir }: GatewayConfig): Promise<{ ownerUrl: string; gatewayUrl: string }> {
    const gatewayUrl = database.url?.reveal();
    if (gatewayUrl !== undefined) return { gatewayUrl, ownerUrl: database.migrationUrl?.reveal() ?? gatewayUrl };
    this.#postgres = await OwnPostgres.start(join(dataDir, 'postgres'), this.log);
    return this.#postgres.urls;
  }

  /** What the process itself does is told in the audit log too. It goes on if that fails: the log says so then. */
  private async record(
    why: string,
    action: ProcessAction,
    id: string,
    what: { after?: object; reason?: string } = {},
  ): Promise<void> {
    const app = this.#app;
    if (!app) return;
    const target = { kind: action.startsWith('config') ? 'config' : 'gateway', id };
    await app
      .get(Database)
      .platform(this.#jobs.for(why), (tx) => app.get(Audit).record(tx, { action, tenant: null, target, ...what }))
      .catch((error: unknown) => this.log.error({ err: error, action }, 'this could not be recorded in the audit log'));
  }
}
