import type { Agent } from 'node:http';
import { hostname } from 'node:os';
import { egressOf, outboundAgent, type GatewayConfig, type Secret } from '@app/platform';
import { SpanKind, SpanStatusCode, TraceFlags, type HrTime, type SpanContext } from '@opentelemetry/api';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes, type Resource } from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader, type PushMetricExporter } from '@opentelemetry/sdk-metrics';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { CallInstruments } from './call-instruments';
import { measurementsOf } from './call-measurements';
import { spansOf, type SpanNotes } from './call-spans';
import type { CallTrace, TraceReader } from './call-trace';
import { contentAttributes } from './content';
import { SpanQueue } from './span-queue';
import type { TelemetryFaults } from './telemetry-faults';

const SCOPE = {
  name: 'openclawmu',
  schemaUrl: 'https://opentelemetry.io/schemas/1.41.0',
};
const BATCH = 512;
const SIGNALS = ['traces', 'metrics'] as const;
const KINDS = { server: SpanKind.SERVER, client: SpanKind.CLIENT } as const;
const BYTES_FOR_TEXT = 16;

export type TelemetrySettings = Pick<GatewayConfig, 'telemetry' | 'egress'>;
type Signal = (typeof SIGNALS)[number];

/**
 * Makes spans and metrics of calls that are over and sends them to a collector (OTLP over HTTP, protobuf). The one file that
 * loads the SDK, and itself loaded only where telemetry is on.
 *
 * Spans are made whole once a call is over, because all is known then; a tracer with a context of its own would cost every call
 * several times as much.
 */
export class OtlpExport implements TraceReader {
  readonly #agents: Readonly<Record<Signal, Agent>>;
  readonly #resource: Resource;
  readonly #queue: SpanQueue<ReadableSpan> | null;
  readonly #traces: OTLPTraceExporter | null;
  readonly #meters: MeterProvider | null;
  readonly #instruments: CallInstruments | null;

  constructor(
    private readonly settings: TelemetrySettings,
    private readonly faults: TelemetryFaults,
  ) {
    const { traces, metrics, serviceName, resource } = settings.telemetry;
    this.#agents = { traces: agentTo(settings, 'traces'), metrics: agentTo(settings, 'metrics') };
    this.#resource = resourceFromAttributes({
      ...resource,
      'service.name': serviceName,
      'service.instance.id': `${hostname()}:${process.pid}`,
    });
    this.#traces = traces.enabled ? new OTLPTraceExporter(this.exporterOf('traces')) : null;
    const rules = { most: traces.queue, batch: BATCH, delayMs: traces.delayMs };
    this.#queue = this.#traces && new SpanQueue(rules, (batch) => this.send(batch), faults.dropped);
    this.#meters = metrics.enabled ? this.meters() : null;
    this.#instruments = this.#meters && new CallInstruments(this.#meters.getMeter(SCOPE.name, undefined, SCOPE));
  }

  /** Whether a call is recorded whose caller has not decided it. */
  samples(): boolean {
    const { ratio } = this.settings.telemetry.traces;
    return ratio === 1 || Math.random() < ratio;
  }

  get tracesCalls(): boolean {
    return this.settings.telemetry.traces.enabled;
  }

  /** Of an answer, to be kept for its text; 0 for none. Events of a stream say much around it. */
  get mostContentBytes(): number {
    const { content, contentBytes } = this.settings.telemetry;
    return content ? contentBytes * BYTES_FOR_TEXT : 0;
  }

  ended(call: CallTrace): void {
    if (this.#instruments) this.#instruments.record(measurementsOf(call));
    if (!call.isSampled || !this.#queue) return;
    const spans = spansOf(call);
    const operation = spans[1];
    const { content, contentBytes } = this.settings.telemetry;
    if (content && operation) Object.assign(operation.attributes, contentAttributes(call, contentBytes));
    for (const span of spans) this.#queue.push(this.readable(call, span));
  }

  /** Sends what waits, for as long as there is time; what is left then is lost. */
  async stop(withinMs: number): Promise<void> {
    const work = Promise.all([this.#queue?.flush(), this.#meters?.shutdown().catch(ignore)]);
    await Promise.race([work, new Promise((over) => setTimeout(over, withinMs).unref())]);
    this.#queue?.abandon();
    void this.#traces?.shutdown().catch(ignore);
    for (const signal of SIGNALS) this.#agents[signal].destroy();
  }

  private send(batch: ReadableSpan[]): Promise<boolean> {
    return new Promise((done) => {
      this.#traces?.export(batch, ({ code, error }) => {
        this.faults.exported('traces', isSent(code) ? null : error);
        done(isSent(code));
      });
    });
  }

  private meters(): MeterProvider {
    const { metrics, timeoutMs } = this.settings.telemetry;
    const exporter = new OTLPMetricExporter(this.exporterOf('metrics'));
    const watched: PushMetricExporter = {
      export: (batch, done) =>
        exporter.export(batch, (result) => {
          this.faults.exported('metrics', isSent(result.code) ? null : result.error);
          done(result);
        }),
      selectAggregationTemporality: (kind) => exporter.selectAggregationTemporality(kind),
      selectAggregation: (kind) => exporter.selectAggregation(kind),
      forceFlush: () => exporter.forceFlush(),
      shutdown: () => exporter.shutdown(),
    };
    const reader = new PeriodicExportingMetricReader({
      exporter: watched,
      exportIntervalMillis: metrics.intervalMs,
      exportTimeoutMillis: Math.min(timeoutMs, metrics.intervalMs),
    });
    return new MeterProvider({ resource: this.#resource, readers: [reader] });
  }

  /** The standard variables say the rest: compression, temporality. */
  private exporterOf(signal: Signal): Record<string, unknown> {
    const { headers, timeoutMs, [signal]: own } = this.settings.telemetry;
    return {
      url: own.url,
      headers: { ...revealed(headers), ...revealed(own.headers) },
      timeoutMillis: timeoutMs,
      httpAgentOptions: () => this.#agents[signal],
    };
  }

  private readable(call: CallTrace, span: SpanNotes): ReadableSpan {
    const { traceId, parent, startedAt, startMs } = call;
    const traceFlags = TraceFlags.SAMPLED;
    const state = parent?.state;
    const traceState = state
      ? { serialize: () => state, get: () => undefined, set: unchanged, unset: unchanged }
      : undefined;
    const context: SpanContext = { traceId, spanId: span.spanId, traceFlags, traceState };
    const isRemote = span.kind === 'server';
    const at = (ms: number): HrTime => hrTime(startedAt + (ms - startMs));
    return {
      name: span.name,
      kind: KINDS[span.kind],
      spanContext: () => context,
      parentSpanContext: span.parentId === null ? undefined : { traceId, spanId: span.parentId, traceFlags, isRemote },
      startTime: at(span.startMs),
      endTime: at(span.endMs),
      duration: hrTime(span.endMs - span.startMs),
      status: { code: span.isError ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
      attributes: span.attributes,
      links: [],
      events: [],
      ended: true,
      resource: this.#resource,
      instrumentationScope: SCOPE,
      droppedAttributesCount: 0,
      droppedEventsCount: 0,
      droppedLinksCount: 0,
    };
  }
}

function agentTo({ telemetry, egress }: TelemetrySettings, signal: Signal): Agent {
  const { url, internal } = telemetry[signal];
  return outboundAgent(new URL(url).protocol, egressOf({ ...telemetry, internal }, egress, telemetry.timeoutMs));
}

const revealed = (headers: Readonly<Record<string, Secret>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.reveal()]));

/** The SDK's word for it lies in a package that is none of ours. */
const isSent = (code: number): boolean => code === 0;

const hrTime = (ms: number): HrTime => {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)];
};

const ignore = (): void => undefined;

/** Nothing is added to what other tracing systems left. */
function unchanged<State>(this: State): State {
  return this;
}
