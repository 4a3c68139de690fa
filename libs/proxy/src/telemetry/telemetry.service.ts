import { Config, LOG, sameSettings, tracesContent, type GatewayConfig, type Log, type Principal } from '@app/platform';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { IncomingHttpHeaders } from 'node:http';
import { Registry } from 'prom-client';
import { CallTrace } from './call-trace';
import type { OtlpExport, TelemetrySettings } from './otlp-export';
import { TelemetryFaults } from './telemetry-faults';
import { readTraceParent } from './trace-context';
import { carriesContent, type TracedApi } from './traced-api';

/** Traces and metrics of calls for a collector, if the configuration says so; else nothing of it is even loaded. */
@Injectable()
export class Telemetry implements OnModuleInit, OnApplicationShutdown {
  readonly #faults: TelemetryFaults;
  #export: OtlpExport | null = null;
  #settings: TelemetrySettings | null = null;

  constructor(
    private readonly config: Config,
    registry: Registry,
    @Inject(LOG) log: Log,
  ) {
    this.#faults = new TelemetryFaults(registry, log);
    config.onReload((next) => this.follow(next));
  }

  onModuleInit(): void {
    this.follow(this.config.current);
  }

  /** Whether prompts and answers of calls that are recorded stand in their traces. */
  get tellsContent(): boolean {
    return tracesContent(this.config.current);
  }

  /** Begins to note what becomes of a call; null while telemetry is off. */
  begin(api: TracedApi, principal: Principal, requestId: string, headers: IncomingHttpHeaders): CallTrace | null {
    const target = this.#export;
    if (target === null) return null;
    const parent = readTraceParent(headers);
    const isSampled = target.tracesCalls && (parent ? parent.sampled : target.samples());
    const asking = { id: requestId, api, userAgent: headers['user-agent'] };
    const mostBytes = isSampled && carriesContent(api) ? target.mostContentBytes : 0;
    return new CallTrace(principal, asking, parent, isSampled, target, mostBytes);
  }

  async onApplicationShutdown(): Promise<void> {
    const { server, telemetry } = this.config.current;
    await this.#export?.stop(Math.min(server.drainMs, telemetry.timeoutMs));
    this.#export = null;
  }

  /** Calls under way are told of where they began. */
  private follow({ telemetry, egress }: GatewayConfig): void {
    const settings = { telemetry, egress };
    if (sameSettings(settings, this.#settings)) return;
    this.#settings = settings;
    void this.#export?.stop(telemetry.timeoutMs);
    this.#export = telemetry.enabled ? load(settings, this.#faults) : null;
  }
}

/** The SDK takes a tenth of a second and megabytes to load, so only who wants it loads it. */
function load(settings: TelemetrySettings, faults: TelemetryFaults): OtlpExport {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const { OtlpExport: Export } = require('./otlp-export') as typeof import('./otlp-export');
  return new Export(settings, faults);
}
