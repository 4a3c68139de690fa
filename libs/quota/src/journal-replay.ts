import { readLine, type Charge } from './journal-line';

/** What a journal leaves to be done. */
export interface Replay {
  /** Settled; perhaps in the database already, which its ids will tell. */
  readonly settled: (Charge & { readonly row: unknown })[];
  /** Neither settled nor released when the process ended. */
  readonly open: (Charge & { readonly draft: unknown })[];
  /** Where a segment is damaged other than by a last line cut short: `<segment>:<line>`. */
  readonly damaged: string[];
}

export interface SegmentText {
  readonly name: string;
  readonly text: string;
}

/**
 * Reads a journal's segments in order. The last line of a segment may be cut short: the process ended, or the disk
 * filled, while it was written, and nothing was ever answered on its word. Anything else that cannot be read is damage.
 */
export function replay(segments: readonly SegmentText[]): Replay {
  const held = new Map<string, Charge & { draft: unknown }>();
  const settled = new Map<string, Charge & { row: unknown }>();
  const released = new Set<string>();
  const damaged: string[] = [];
  for (const { name, text } of segments) {
    const lines = text.split('\n');
    lines.pop(); // what follows the last line break is empty, or cut short
    lines.forEach((line, index) => {
      const entry = readLine(line);
      if (entry === undefined) damaged.push(`${name}:${index + 1}`);
      else if (entry?.kind === 'held') held.set(entry.id, entry);
      else if (entry?.kind === 'settled') settled.set(entry.id, entry);
      else if (entry?.kind === 'released') released.add(entry.id);
    });
  }
  const open = [...held.values()].filter(({ id }) => !settled.has(id) && !released.has(id));
  return { settled: [...settled.values()], open, damaged };
}
