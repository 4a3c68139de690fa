import { z } from 'zod';
import { tlsFiles } from './tls-files';
import { bare, keepsSecrets, LOOPBACK, ms, proxyUrlOrNone, secret, share, whole } from './words';

/** The collector's address; of the common one the signal's path is a part yet to come. */
const endpoint = z
  .url({ protocol: /^https?$/ })
  .refine(bare, 'must hold no credentials, query or fragment; what the collector asks for goes into headers');

const headers = z.record(z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'is not the name of a header'), secret);

const DEFAULT_ENDPOINT = 'http://localhost:4318';

/** Traces and metrics sent to a collector by OTLP over HTTP, in protobuf. */
export const telemetry = z
  .strictObject({
    enabled: z.boolean().default(false),
    endpoint: endpoint.default(DEFAULT_ENDPOINT),
    headers: headers.default({}),
    internal: z.boolean().default(false),
    tls: tlsFiles.optional(),
    proxy: proxyUrlOrNone.optional(),
    timeoutMs: ms(10_000),
    serviceName: z.string().min(1).default('openclawmu'),
    /** Attributes of the resource, beside the service's name and this process's id. */
    resource: z.record(z.string().min(1), z.string()).default({}),
    traces: z
      .strictObject({
        enabled: z.boolean().default(true),
        endpoint: endpoint.optional(),
        headers: headers.default({}),
        /** Of the calls whose caller has not decided it. */
        ratio: share.default(1),
        /** Spans that wait for the collector; further ones are dropped. */
        queue: whole(512, 1_000_000, 8_192),
        /** How long a span waits at most for others to be sent with. */
        delayMs: whole(10, 60_000, 1_000),
      })
      .prefault({}),
    metrics: z
      .strictObject({
        enabled: z.boolean().default(true),
        endpoint: endpoint.optional(),
        headers: headers.default({}),
        intervalMs: whole(1_000, 3_600_000, 60_000),
      })
      .prefault({}),
    /** Whether spans carry prompts and answers. */
    content: z.boolean().default(false),
    contentBytes: whole(1_024, 1_048_576, 65_536),
  })
  .superRefine(({ enabled, internal, endpoint: common, traces, metrics }, context) => {
    if (!enabled || internal) return;
    const own = [
      [traces.endpoint ?? common, 'traces'],
      [metrics.endpoint ?? common, 'metrics'],
    ] as const;
    for (const [url, signal] of own)
      if (!keepsSecrets(url))
        context.addIssue({
          code: 'custom',
          path: [signal, 'endpoint'],
          message:
            'plain http could be read by anybody on the way; use https, or set "internal: true" for a collector in your own network',
        });
  })
  .transform((settings) => ({
    ...settings,
    traces: { ...settings.traces, ...leadsTo(settings, 'traces') },
    metrics: { ...settings.metrics, ...leadsTo(settings, 'metrics') },
  }))
  .prefault({});

interface Endpoints extends Readonly<Record<'traces' | 'metrics', { readonly endpoint?: string | undefined }>> {
  readonly endpoint: string;
  readonly internal: boolean;
}

/** Where a signal goes, and whether that may lie in a private network; an address of this machine was meant by whoever wrote it. */
function leadsTo({ endpoint: common, internal, ...signals }: Endpoints, signal: 'traces' | 'metrics') {
  const url = signals[signal].endpoint ?? `${common.replace(/\/+$/, '')}/v1/${signal}`;
  return { url, internal: internal || LOOPBACK.test(new URL(url).hostname) };
}

/** `name=value,name=value`, percent-encoded, as the standard variables write headers and attributes. */
function pairs(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split(',').flatMap((pair) => {
      const at = pair.indexOf('=');
      return at > 0 ? [[pair.slice(0, at).trim(), decode(pair.slice(at + 1).trim())]] : [];
    }),
  );
}

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

type Tree = Record<string, unknown>;
type Environment = Readonly<Record<string, string | undefined>>;

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Which setting a standard variable stands in for, and how its text is read. */
const STANDARD: readonly (readonly [variable: string, path: readonly string[], read?: (text: string) => unknown])[] = [
  ['OTEL_EXPORTER_OTLP_ENDPOINT', ['endpoint']],
  ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', ['traces', 'endpoint']],
  ['OTEL_EXPORTER_OTLP_METRICS_ENDPOINT', ['metrics', 'endpoint']],
  ['OTEL_EXPORTER_OTLP_HEADERS', ['headers'], pairs],
  ['OTEL_EXPORTER_OTLP_TRACES_HEADERS', ['traces', 'headers'], pairs],
  ['OTEL_EXPORTER_OTLP_METRICS_HEADERS', ['metrics', 'headers'], pairs],
  ['OTEL_RESOURCE_ATTRIBUTES', ['resource'], pairs],
  ['OTEL_SERVICE_NAME', ['serviceName']],
];

/**
 * Fills in what the file leaves open from the standard variables of OpenTelemetry
 * (https://opentelemetry.io/docs/specs/otel/protocol/exporter/). They are set for whole clusters, so none of them turns
 * anything on, but `OTEL_SDK_DISABLED` turns it off.
 */
export function applyStandardVariables(tree: Tree, env: Environment): void {
  const settings = tree['telemetry'];
  if (!isTree(settings) || settings['enabled'] !== true) return;
  if (env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') settings['enabled'] = false;
  for (const [variable, path, read = (text: string): unknown => text] of STANDARD) {
    const text = env[variable];
    if (text === undefined || text === '') continue;
    let parent: unknown = settings;
    for (const part of path.slice(0, -1)) parent = isTree(parent) ? (parent[part] ??= {}) : parent;
    const key = path.at(-1) as string;
    if (!isTree(parent)) continue;
    const value = read(text);
    const given = parent[key];
    if (isTree(value)) parent[key] = isTree(given) || given === undefined ? { ...value, ...given } : given;
    else parent[key] ??= value;
  }
}
