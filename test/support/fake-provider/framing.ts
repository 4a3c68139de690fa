import type { Framing } from './behaviour';
import type { StreamEvent } from './dialect';

/** One event on the wire, with the blank line that ends it. */
export function frame(event: StreamEvent, framing: Framing = {}): Buffer {
  const { newline = '\n', tight = false, comments = false, spread = false } = framing;
  const separator = tight ? ':' : ': ';
  const data = typeof event.data === 'string' ? event.data : JSON.stringify(event.data, null, spread ? 1 : 0);
  const lines = [
    ...(comments ? [': keep-alive', ''] : []),
    ...(event.name === undefined ? [] : [`event${separator}${event.name}`]),
    ...data.split('\n').map((line) => `data${separator}${line}`),
    '',
    '',
  ];
  return Buffer.from(lines.join(newline), 'utf8');
}
