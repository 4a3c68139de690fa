import { isUtf8 } from 'node:buffer';
import { createReadStream, readFileSync } from 'node:fs';
import { CliError, EXIT } from './exit-code';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'there is no such folder',
  EISDIR: 'it is a folder',
  EACCES: 'this user may not',
  EPERM: 'this user may not',
  EROFS: 'nothing can be written there',
  ENOSPC: 'the disk is full',
};

/** Why a file could not be read or written, in words for people, who know which file they have named. */
export function fileFault(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return REASONS[code ?? ''] ?? (message.split('\n')[0] as string);
}

/**
 * A file's text as it is read.
 * @throws CliError where it cannot be read, and at bytes that are no UTF-8: among replaced characters an alteration could hide
 */
export async function* textOf(file: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  try {
    for await (const chunk of chunksOf(file)) yield decoder.decode(chunk, { stream: true });
    yield decoder.decode();
  } catch (error) {
    throw error instanceof CliError ? error : new CliError(EXIT.usage, `${file} is no text in UTF-8.`);
  }
}

/**
 * The same of a file whose lines have digests. Bytes that are no UTF-8 come as NUL, which no line was ever written with and so
 * none has a digest of: theirs is found to be altered, and all others are judged as ever.
 */
export async function* textWithNulsOf(file: string): AsyncGenerator<string> {
  let pieces: Buffer[] = [];
  for await (const chunk of chunksOf(file)) {
    const end = chunk.lastIndexOf(LINE_FEED) + 1;
    if (end > 0) {
      yield withNuls(Buffer.concat([...pieces, chunk.subarray(0, end)]));
      pieces = [];
    }
    pieces.push(chunk.subarray(end));
  }
  yield withNuls(Buffer.concat(pieces));
}

/** In UTF-8 no other character has this byte in it, so lines can be told before they are decoded. */
const LINE_FEED = 0x0a;

function withNuls(lines: Buffer): string {
  if (isUtf8(lines)) return lines.toString('utf8');
  const end = lines.indexOf(LINE_FEED) + 1;
  if (end === 0 || end === lines.length) return lines.toString('utf8').replaceAll('\ufffd', '\0');
  let text = '';
  for (let start = 0; start < lines.length;) {
    const next = lines.indexOf(LINE_FEED, start) + 1 || lines.length;
    text += withNuls(lines.subarray(start, next));
    start = next;
  }
  return text;
}

async function* chunksOf(file: string): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(file) as AsyncIterable<Buffer>;
  } catch (error) {
    throw unreadable(file, error);
  }
}

const unreadable = (file: string, error: unknown): CliError =>
  new CliError(EXIT.usage, `${file} cannot be read: ${fileFault(error)}.`);

/** A file's text at once, for files that people write. @throws CliError where it cannot be read */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw unreadable(file, error);
  }
}
