import { createReadStream } from 'node:fs';

const NEWLINE = 0x0a;

/**
 * The lines of a file, without their `\n`, as a stream. Unlike `readline` it breaks only there: U+2028, which readline
 * also takes for a line's end, may stand inside a JSON string.
 *
 * @param torn whether a last line without its `\n` is given too
 */
export async function* linesOf(path: string, { torn = true } = {}): AsyncGenerator<string> {
  let pieces: Buffer[] = [];
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      pieces.push(chunk.subarray(from, end));
      yield Buffer.concat(pieces).toString('utf8');
      pieces = [];
      from = end + 1;
    }
    if (from < chunk.length) pieces.push(chunk.subarray(from));
  }
  if (torn && pieces.length > 0) yield Buffer.concat(pieces).toString('utf8');
}
