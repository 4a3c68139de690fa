import { textOf, type EventValues, type Json } from './event-values';
import type { TextChannels } from './text-channels';
import type { WireEvents } from './wire-events';

const DELTA = '.delta';
const DONE = '.done';
/** They end all texts. */
const LAST = /^(response\.(completed|failed|incomplete)|error)$/;

/** Events of a response. A text comes in deltas, and again as a whole when it is done, and when the response is. */
export class ResponsesEvents implements WireEvents {
  /** Of the next event that is told. */
  #next: number | null = null;

  constructor(
    private readonly channels: TextChannels,
    private readonly values: EventValues,
    private readonly isJson: boolean,
  ) {}

  *masked(event: Json): Generator<Json> {
    const number = event['sequence_number'];
    if (typeof number === 'number') this.#next ??= number;
    for (const one of this.inOrder(event)) yield this.numbered(one);
  }

  *ended(): Generator<Json> {
    for (const one of this.channels.endAll()) yield this.numbered(one);
  }

  private *inOrder(event: Json): Generator<Json> {
    const type = textOf(event['type']);
    // As long as the delta would be, which tells how long a mask's text was.
    delete event['obfuscation'];
    if (type.endsWith(DELTA) && typeof event['delta'] === 'string') {
      const { delta, ...rest } = event;
      if (Array.isArray(rest['logprobs'])) rest['logprobs'] = [];
      this.values.mask(rest);
      const isJson = type.includes('arguments') || (this.isJson && type === 'response.output_text.delta');
      const piece = (text: string): Json => ({ ...rest, delta: text });
      const passed = this.channels.push(keyOf(event, DELTA), delta, isJson, piece);
      if (passed !== '' || delta === '') yield piece(passed);
      return;
    }
    if (type.endsWith(DONE)) yield* this.endedBy(keyOf(event, DONE));
    else if (LAST.test(type)) yield* this.channels.endAll();
    this.values.mask(event);
    yield event;
  }

  private endedBy(key: string): Json[] {
    return this.channels.endAll((other) => other === key);
  }

  /** Some events wait and some are new, so their numbers are given anew. */
  private numbered(event: Json): Json {
    if (this.#next === null || event['sequence_number'] === undefined) return event;
    return { ...event, sequence_number: this.#next++ };
  }
}

const keyOf = (event: Json, ending: string): string =>
  JSON.stringify([
    textOf(event['type']).slice(0, -ending.length),
    ...['item_id', 'output_index', 'content_index', 'summary_index'].map((name) => event[name] ?? null),
  ]);
