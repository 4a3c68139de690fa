export interface Size {
  readonly width: number;
  readonly height: number;
}

/** How much of a picture's beginning is worth looking at: its size stands behind thumbnails and colour profiles. */
export const HEAD_BYTES = 256 * 1024;

/** The pixels of a picture from the head of its file, or null where it is none that is known here, or the head is too short. */
export function imageSize(head: Buffer): Size | null {
  if (head.length < 30) return null;
  const size = isPng(head) ? png(head) : isGif(head) ? gif(head) : isWebp(head) ? webp(head) : jpeg(head);
  return size && size.width > 0 && size.height > 0 ? size : null;
}

const textAt = (head: Buffer, at: number, length: number): string => head.toString('latin1', at, at + length);

const isPng = (head: Buffer): boolean => head.readUInt32BE(0) === 0x89504e47 && textAt(head, 12, 4) === 'IHDR';
const isGif = (head: Buffer): boolean => textAt(head, 0, 4) === 'GIF8';
const isWebp = (head: Buffer): boolean => textAt(head, 0, 4) === 'RIFF' && textAt(head, 8, 4) === 'WEBP';

const png = (head: Buffer): Size => ({ width: head.readUInt32BE(16), height: head.readUInt32BE(20) });
const gif = (head: Buffer): Size => ({ width: head.readUInt16LE(6), height: head.readUInt16LE(8) });

/** https://developers.google.com/speed/webp/docs/riff_container: lossy, lossless or extended. */
function webp(head: Buffer): Size | null {
  switch (textAt(head, 12, 4)) {
    case 'VP8 ':
      return { width: head.readUInt16LE(26) & 0x3fff, height: head.readUInt16LE(28) & 0x3fff };
    case 'VP8L': {
      const bits = head.readUInt32LE(21);
      return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
    }
    case 'VP8X':
      return { width: head.readUIntLE(24, 3) + 1, height: head.readUIntLE(27, 3) + 1 };
    default:
      return null;
  }
}

/** Steps from segment to segment up to the start of the frame (ITU-T T.81, B.2), which has the size. */
function jpeg(head: Buffer): Size | null {
  if (head.readUInt16BE(0) !== 0xffd8) return null;
  let at = 2;
  while (at + 9 <= head.length && head[at] === 0xff) {
    const marker = head[at + 1]!;
    if (marker === 0xff) at += 1;
    else if (isFrameStart(marker)) return { height: head.readUInt16BE(at + 5), width: head.readUInt16BE(at + 7) };
    else if (hasNoLength(marker)) at += 2;
    else at += 2 + head.readUInt16BE(at + 2);
  }
  return null;
}

/** SOF0 to SOF15, without the tables that lie between them. */
const isFrameStart = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
const hasNoLength = (marker: number): boolean => marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8);
