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

  /** The SDK keeps the attributes it is given, so each set is an object of its own. */
  record(call: CallMeasurements | null): void {
    if (call === null) return;
    this.#duration.record(call.durationSeconds, call.attributes);
    if (call.firstChunkSeconds !== null) this.#firstChunk.record(call.firstChunkSeconds, call.attributes);
    for (const { count, attributes } of call.tokens) this.#tokens.record(count, attributes);
  }
}
