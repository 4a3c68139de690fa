import { inputOf, isCounted, operationAttributes, outputOf, type SpanAttributes } from './call-spans';
import type { CallTrace } from './call-trace';

/** As the conventions prescribe them, in seconds. */
export const DURATION_BOUNDARIES = [
  0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];
export const TOKEN_BOUNDARIES = [
  1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864,
];

/**
 * What a call adds to the metrics of generative AI clients, version 1.41.0
 * (https://github.com/open-telemetry/semantic-conventions/blob/v1.41.0/docs/gen-ai/gen-ai-metrics.md). Null for a call that
 * was refused before it was known what it asks for.
 */
export interface CallMeasurements {
  readonly attributes: SpanAttributes;
  readonly durationSeconds: number;
  /** Of streams only. */
  readonly firstChunkSeconds: number | null;
  /** None where nobody knows what was used. */
  readonly tokens: readonly TokensUsed[];
}

export interface TokensUsed {
  readonly count: number;
  readonly attributes: SpanAttributes;
}

/** Nothing here is per tenant: a histogram has a dozen series for each set of attributes, and departments come on top of models. */
export function measurementsOf(call: CallTrace): CallMeasurements | null {
  const { plan, settled, plannedMs, endMs, firstChunkMs } = call;
  if (plan === null) return null;
  const tokens: TokensUsed[] = [];
  if (settled !== null && isCounted(settled)) {
    if (inputOf(settled) > 0) tokens.push(used(call, 'input', inputOf(settled)));
    if (outputOf(settled) > 0) tokens.push(used(call, 'output', outputOf(settled)));
  }
  return {
    attributes: operationAttributes(call),
    durationSeconds: (endMs - plannedMs) / 1000,
    firstChunkSeconds: firstChunkMs === 0 ? null : (firstChunkMs - plannedMs) / 1000,
    tokens,
  };
}

function used(call: CallTrace, type: 'input' | 'output', count: number): TokensUsed {
  const attributes = operationAttributes(call);
  attributes['gen_ai.token.type'] = type;
  return { count, attributes };
}
