import { stat } from 'node:fs/promises';
import { follows, hashOfLine, readLink, type Link, type Position } from './chain';
import { linesOf } from './lines';

export interface Tail {
  /** The last good record; `null` if there is none. */
  readonly last: Position | null;
  /** Where the last good line ends, in bytes. */
  readonly end: number;
  /** Of the file, in bytes. */
  readonly size: number;
  /** Whether it ended at a whole line that is not the record that should be there. */
  readonly spoilt: boolean;
}

/**
 * Reads a file of records to its last good one. A last line without its `\n` is a write that a crash interrupted: it
 * does not count.
 */
export async function readTail(path: string): Promise<Tail> {
  const { size } = await stat(path);
  let last: Position | null = null;
  let end = 0;
  for await (const line of linesOf(path, { torn: false })) {
    const link: Link | null = last ? follows(last, line) : firstLink(line);
    if (!link) return { last, end, size, spoilt: true };
    last = { seq: link.seq, hash: link.hash };
    end += Buffer.byteLength(line) + 1;
  }
  return { last, end, size, spoilt: false };
}

function firstLink(line: string): Link | null {
  const link = readLink(line);
  return link && hashOfLine(line) === link.hash ? link : null;
}
