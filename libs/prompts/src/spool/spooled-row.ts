import { crc32 } from 'node:zlib';
import type { PromptRow } from '../prompts.queries';

/*
 * A row in a file: the number of the bytes behind it and their checksum, 4 bytes each, then the length of its head, the head as JSON,
 * and what is sealed. Lengths are big-endian.
 */

const LENGTH_BYTES = 4;
const HEADER_BYTES = 2 * LENGTH_BYTES;

type Head = Omit<PromptRow, 'at' | 'wrappedKey' | 'sealed'> & { readonly at: string; readonly wrappedKey: string };

export function writeRow({ sealed, wrappedKey, at, ...rest }: PromptRow): Buffer {
  const told: Head = { ...rest, at: at.toISOString(), wrappedKey: wrappedKey.toString('base64') };
  const head = Buffer.from(JSON.stringify(told));
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + LENGTH_BYTES + head.length + sealed.length);
  const body = bytes.subarray(HEADER_BYTES);
  body.writeUInt32BE(head.length);
  head.copy(body, LENGTH_BYTES);
  sealed.copy(body, LENGTH_BYTES + head.length);
  bytes.writeUInt32BE(body.length);
  bytes.writeUInt32BE(crc32(body), LENGTH_BYTES);
  return bytes;
}

export interface SpooledRows {
  readonly rows: readonly PromptRow[];
  /** Whether something cannot be read; then nor can what stands behind it. A last row that was cut short is not meant. */
  readonly isDamaged: boolean;
}

/** Reads rows in the order in which they were written. */
export function readRows(bytes: Buffer): SpooledRows {
  const rows: PromptRow[] = [];
  let at = 0;
  while (at + HEADER_BYTES < bytes.length) {
    const length = bytes.readUInt32BE(at);
    const from = at + HEADER_BYTES;
    // Zeros are what a file system leaves where it had no time to write.
    if (length === 0 || from + length > bytes.length) break;
    const body = bytes.subarray(from, from + length);
    if (crc32(body) !== bytes.readUInt32BE(at + LENGTH_BYTES)) return { rows, isDamaged: true };
    rows.push(rowIn(body));
    at = from + length;
  }
  return { rows, isDamaged: false };
}

function rowIn(body: Buffer): PromptRow {
  const end = LENGTH_BYTES + body.readUInt32BE();
  const { at, wrappedKey, ...rest } = JSON.parse(body.toString('utf8', LENGTH_BYTES, end)) as Head;
  return { ...rest, at: new Date(at), wrappedKey: Buffer.from(wrappedKey, 'base64'), sealed: body.subarray(end) };
}
