/** The slowest an MP3 may be (MPEG-2 layer III): 8 kbit/s. */
const SLOWEST_MP3_BYTES_PER_SECOND = 1_000;

const FORMAT_CHUNK = 'fmt ';

/**
 * The longest that a recording can play, in seconds, from its size and the head of its file; null for a format that is not
 * known here. OpenAI takes `wav` and `mp3`.
 */
export function audioSecondsMax(head: Buffer, totalBytes: number): number | null {
  if (head.length < 12) return null;
  if (textAt(head, 0) === 'RIFF' && textAt(head, 8) === 'WAVE') return wavSeconds(head, totalBytes);
  const isMp3 = head.toString('latin1', 0, 3) === 'ID3' || (head[0] === 0xff && (head[1]! & 0xe0) === 0xe0);
  return isMp3 ? totalBytes / SLOWEST_MP3_BYTES_PER_SECOND : null;
}

const textAt = (head: Buffer, at: number): string => head.toString('latin1', at, at + 4);

/** Players go by the byte rate or by rate and size of the samples: the slower of both. */
function wavSeconds(head: Buffer, totalBytes: number): number | null {
  for (let at = 12; at + 24 <= head.length; at += 8 + head.readUInt32LE(at + 4)) {
    if (textAt(head, at) !== FORMAT_CHUNK) continue;
    const sampleRate = head.readUInt32LE(at + 12);
    const byteRate = head.readUInt32LE(at + 16);
    const slower = Math.min(byteRate, sampleRate * head.readUInt16LE(at + 20));
    return slower > 0 ? totalBytes / slower : null;
  }
  return null;
}
