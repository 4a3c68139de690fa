import { frames } from './journal-frame';
import { readLine, type Charge } from './journal-line';
import type { Attribution } from './scopes/attribution';

/** What a journal leaves to be done. */
export interface Replay {
  /** Settled; perhaps in the database already, which its ids will tell. */
  readonly settled: (Charge & { readonly row: unknown })[];
  /** Neither settled nor released when the process ended. */
  readonly open: (Charge & { readonly draft: unknown })[];
  /** Where a segment is damaged other than by its end being cut short: `<segment>:<byte>`, and the line behind it if that is what cannot be read. */
  readonly damaged: string[];
}

export interface SegmentBytes {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Reads a journal's segments in order. */
export function replay(segments: readonly SegmentBytes[]): Replay {
  const known = new Map<number, Attribution>();
  const held = new Map<string, Charge & { draft: unknown }>();
  const settled = new Map<string, Charge & { row: unknown }>();
  const released = new Set<string>();
  const damaged: string[] = [];
  const read = (line: string, place: string): void => {
    const entry = readLine(line, known);
    if (entry === undefined) damaged.push(place);
    else if (entry?.kind === 'attribution') known.set(entry.number, entry.attribution);
    else if (entry?.kind === 'held') held.set(entry.id, entry);
    else if (entry?.kind === 'settled') settled.set(entry.id, entry);
    else if (entry?.kind === 'released') released.add(entry.id);
  };
  for (const { name, bytes } of segments)
    for (const { offset, lines } of frames(bytes)) {
      if (lines === null) damaged.push(`${name}:${offset}`);
      else
        lines
          .slice(0, -1)
          .split('\n')
          .forEach((line, index) => read(line, `${name}:${offset}:${index + 1}`));
    }
  const open = [...held.values()].filter(({ id }) => !settled.has(id) && !released.has(id));
  return { settled: [...settled.values()], open, damaged };
}
