import { hostname } from 'node:os';
import type { Secret, TelemetryConfig } from '@app/platform';
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
const KINDS = { server: SpanKind.SERVER, client: SpanKind.CLIENT } as const;
const BYTES_FOR_TEXT = 16;

/**
 * Makes spans and metrics of calls that are over and sends them to a collector (OTLP over HTTP, protobuf). The one file that
 * loads the SDK, and itself loaded only where telemetry is on.
 *
 * Spans are made whole once a call is over, because all is known then; a tracer with a context of its own would cost every call
 * several times as much.
 */
export class OtlpExport implements TraceReader {
  readonly #resource: Resource;
  readonly #queue: SpanQueue<ReadableSpan> | null;
  readonly #traces: OTLPTraceExporter | null;
  readonly #meters: MeterProvider | null;
  readonly #instruments: CallInstruments | null;

  constructor(
    private readonly settings: TelemetryConfig,
    private readonly faults: TelemetryFaults,
  ) {
    const { traces, metrics, serviceName, resource } = settings;
    this.#resource = resourceFromAttributes({
      ...resource,
      'service.name': serviceName,
      'service.instance.id': `${hostname()}:${process.pid}`,
    });
    this.#traces = traces.enabled ? new OTLPTraceExporter(exporterOf(settings, 'traces')) : null;
    const rules = { most: traces.queue, batch: BATCH, delayMs: traces.delayMs };
    this.#queue = this.#traces && new SpanQueue(rules, (batch) => this.send(batch), faults.dropped);
    this.#meters = metrics.enabled ? this.meters() : null;
    this.#instruments = this.#meters && new CallInstruments(this.#meters.getMeter(SCOPE.name, undefined, SCOPE));
  }

  /** Whether a call is recorded whose caller has not decided it. */
  samples(): boolean {
    const { ratio } = this.settings.traces;
    return ratio === 1 || Math.random() < ratio;
  }

  get tracesCalls(): boolean {
    return this.settings.traces.enabled;
  }

  /** Of an answer, to be kept for its text; 0 for none. Events of a stream say much around it. */
  get mostContentBytes(): number {
    return this.settings.content ? this.settings.contentBytes * BYTES_FOR_TEXT : 0;
  }

  ended(call: CallTrace): void {
    if (this.#instruments) this.#instruments.record(measurementsOf(call));
    if (!call.isSampled || !this.#queue) return;
    const spans = spansOf(call);
    const operation = spans[1];
    const { content, contentBytes } = this.settings;
    if (content && operation) Object.assign(operation.attributes, contentAttributes(call, contentBytes));
    for (const span of spans) this.#queue.push(this.readable(call, span));
  }

  /** Sends what waits, for as long as there is time; what is left then is lost. */
  async stop(withinMs: number): Promise<void> {
    const work = Promise.all([this.#queue?.flush(), this.#meters?.shutdown().catch(ignore)]);
    await Promise.race([work, new Promise((over) => setTimeout(over, withinMs).unref())]);
    this.#queue?.abandon();
    void this.#traces?.shutdown().catch(ignore);
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
    const { metrics, timeoutMs } = this.settings;
    const exporter = new OTLPMetricExporter(exporterOf(this.settings, 'metrics'));
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

/** The standard variables say the rest: compression, temporality. */
function exporterOf(settings: TelemetryConfig, signal: 'traces' | 'metrics'): Record<string, unknown> {
  const { endpoint, headers, tls, timeoutMs } = settings;
  const own = settings[signal];
  return {
    url: own.endpoint ?? `${endpoint.replace(/\/+$/, '')}/v1/${signal}`,
    headers: { ...revealed(headers), ...revealed(own.headers) },
    timeoutMillis: timeoutMs,
    ...(tls && {
      httpAgentOptions: {
        keepAlive: true,
        ca: tls.ca,
        cert: tls.cert,
        key: tls.key?.reveal(),
        servername: tls.servername,
      },
    }),
  };
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
