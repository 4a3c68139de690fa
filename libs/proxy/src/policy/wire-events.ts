import type { Json } from './event-values';

/** Where the texts stand in the events of one API. */
export interface WireEvents {
  /** What is told in the place of an event; it may be changed. */
  masked(event: Json): Iterable<Json>;
  /** What is told at the end of a stream that had no last event. */
  ended(): Iterable<Json>;
}
