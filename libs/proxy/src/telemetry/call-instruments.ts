import type { Histogram, Meter } from '@opentelemetry/api';
import { DURATION_BOUNDARIES, TOKEN_BOUNDARIES, type CallMeasurements } from './call-measurements';

/** The instruments that the conventions name for clients of generative AI. */
export class CallInstruments {
  readonly #duration: Histogram;
  readonly #firstChunk: Histogram;
  readonly #tokens: Histogram;

  constructor(meter: Meter) {
    const seconds = { unit: 's', advice: { explicitBucketBoundaries: DURATION_BOUNDARIES } };
    this.#duration = meter.createHistogram('gen_ai.client.operation.duration', {
      description: 'GenAI operation duration.',
      ...seconds,
    });
    this.#firstChunk = meter.createHistogram('gen_ai.client.operation.time_to_first_chunk', {
      description: 'Time to receive the first chunk.',
      ...seconds,
    });
    this.#tokens = meter.createHistogram('gen_ai.client.token.usage', {
      description: 'Number of input and output tokens used.',
      unit: '{token}',
      advice: { explicitBucketBoundaries: TOKEN_BOUNDARIES },
    });
  }

  record(call: CallMeasurements | null): void {
    if (call === null) return;
    const { attributes, durationSeconds, firstChunkSeconds, inputTokens, outputTokens } = call;
    this.#duration.record(durationSeconds, attributes);
    const { 'error.type': _, ...told } = attributes;
    if (firstChunkSeconds !== null) this.#firstChunk.record(firstChunkSeconds, told);
    if (inputTokens !== null) this.#tokens.record(inputTokens, { 'gen_ai.token.type': 'input', ...told });
    if (outputTokens !== null) this.#tokens.record(outputTokens, { 'gen_ai.token.type': 'output', ...told });
  }
}
