import { crc32 } from 'node:zlib';

/*
 * A frame is what is written in one piece: a line with the checksum and the number of the bytes that follow it, then lines. One checksum
 * for all of them, because most of its cost is in being asked for.
 */

const HEADER = /^# ([0-9a-f]{8}) (\d{10})\n$/;
const HEADER_BYTES = 22;
/** The lines of one turn of the event loop are seldom more. */
const KEPT_BYTES = 64 * 1024;
/** What UTF-8 takes for a unit of UTF-16, at most. */
const MOST_BYTES_A_UNIT = 3;
const DIGITS = '0123456789abcdef';

const kept = Buffer.alloc(KEPT_BYTES);

/** Lines, each with its end, as a frame. It is made where the last one was, which the processor still has at hand: copy what is to stay. */
export function frame(lines: string): Buffer {
  const most = HEADER_BYTES + lines.length * MOST_BYTES_A_UNIT;
  const bytes = most <= KEPT_BYTES ? kept : Buffer.allocUnsafe(most);
  const length = bytes.write(lines, HEADER_BYTES);
  const end = HEADER_BYTES + length;
  bytes.write('# 00000000 0000000000\n', 'latin1');
  writeDigits(bytes, crc32(bytes.subarray(HEADER_BYTES, end)), 16, 10);
  writeDigits(bytes, length, 10, HEADER_BYTES - 1);
  return bytes.subarray(0, end);
}

/** Over zeros, the last one before `end`. Of 32 bits, which V8 divides as such. */
function writeDigits(bytes: Buffer, number: number, radix: number, end: number): void {
  for (let rest = number >>> 0, at = end - 1; rest > 0; rest = (rest / radix) >>> 0, at--)
    bytes[at] = DIGITS.charCodeAt(rest % radix);
}

/** What stands at an offset of a file: a frame's lines, or `null` where it is damaged. */
export interface Framed {
  readonly offset: number;
  readonly lines: string | null;
}

/**
 * Reads frames one after the other; behind a damaged one it goes on at the next that is whole. The last one may be cut short, because the
 * process ended or the disk filled while it was written: nothing was ever answered on its word, so it is left out.
 */
export function* frames(bytes: Buffer): Iterable<Framed> {
  let offset = 0;
  while (offset < bytes.length) {
    const end = endAt(bytes, offset);
    if (end !== null) {
      yield { offset, lines: bytes.toString('utf8', offset + HEADER_BYTES, end) };
      offset = end;
      continue;
    }
    const next = nextWhole(bytes, offset + 1);
    if (next === null && isCutShort(bytes, offset)) return;
    yield { offset, lines: null };
    offset = next ?? bytes.length;
  }
}

/** Where the whole frame ends that begins here; `null` if none does. */
function endAt(bytes: Buffer, offset: number): number | null {
  const header = headerAt(bytes, offset);
  if (!header) return null;
  const end = offset + HEADER_BYTES + header.length;
  return end <= bytes.length && hex(crc32(bytes.subarray(offset + HEADER_BYTES, end))) === header.checksum ? end : null;
}

function headerAt(bytes: Buffer, offset: number): { readonly checksum: string; readonly length: number } | null {
  const [, checksum, length] = HEADER.exec(bytes.toString('latin1', offset, offset + HEADER_BYTES)) ?? [];
  return checksum === undefined ? null : { checksum, length: Number(length) };
}

/** The line end before it may be what is damaged, so it is not asked for. */
function nextWhole(bytes: Buffer, from: number): number | null {
  for (let at = bytes.indexOf('# ', from); at !== -1; at = bytes.indexOf('# ', at + 1))
    if (endAt(bytes, at) !== null) return at;
  return null;
}

/** Whether what is left can be the beginning of a frame, or the zeros that a file system leaves where it had no time to write. */
function isCutShort(bytes: Buffer, offset: number): boolean {
  const rest = bytes.subarray(offset);
  if (rest.length < HEADER_BYTES || rest.every((byte) => byte === 0)) return true;
  const header = headerAt(bytes, offset);
  if (!header || header.length <= rest.length - HEADER_BYTES) return false;
  // If the rest is what the checksum is of, then it is the length that is wrong.
  return hex(crc32(rest.subarray(HEADER_BYTES))) !== header.checksum;
}

const hex = (checksum: number): string => checksum.toString(16).padStart(8, '0');
