import { createReadStream } from 'node:fs';

/** A file's text as it is read. @throws TypeError at bytes that are no UTF-8: among replaced characters an alteration could hide */
export async function* textOf(file: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>)
    yield decoder.decode(chunk, { stream: true });
  yield decoder.decode();
}
