import { createReadStream, readFileSync } from 'node:fs';
import { CliError, EXIT } from './exit-code';

/** A file's text as it is read. @throws TypeError at bytes that are no UTF-8: among replaced characters an alteration could hide */
export async function* textOf(file: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>)
    yield decoder.decode(chunk, { stream: true });
  yield decoder.decode();
}

/** A file's text at once, for files that people write. @throws CliError where it cannot be read */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CliError(EXIT.usage, `${file} cannot be read: ${(error as Error).message.split('\n')[0]}`);
  }
}
