import { createHash } from 'node:crypto';

/** A record of a CSV file as it stands there, without its line end. */
export interface CsvRecord {
  /** 1 is the header. */
  readonly number: number;
  readonly text: string;
}

/** Splits RFC 4180 as it streams; a line end inside quotes belongs to its cell. `onText` sees every character that passes. */
export async function* csvRecords(
  chunks: AsyncIterable<string>,
  onText: (text: string) => void = () => undefined,
): AsyncGenerator<CsvRecord> {
  let rest = '';
  let searched = 0;
  let quotes = 0;
  let number = 0;
  for await (const chunk of chunks) {
    onText(chunk);
    rest += chunk;
    let start = 0;
    for (; searched < rest.length; searched++) {
      const character = rest[searched];
      if (character === '"') quotes += 1;
      if (character !== '\n' || quotes % 2 === 1) continue;
      yield { number: (number += 1), text: withoutReturn(rest.slice(start, searched)) };
      start = searched + 1;
    }
    rest = rest.slice(start);
    searched -= start;
  }
  if (rest !== '') yield { number: number + 1, text: withoutReturn(rest) };
}

const withoutReturn = (text: string): string => (text.endsWith('\r') ? text.slice(0, -1) : text);

/** The cells of a record, quotes taken away. */
export function cellsOf(text: string): string[] {
  const cells = `,${text}`.matchAll(/,(?:"([^"]*(?:""[^"]*)*)"|([^,]*))/g);
  return Array.from(cells, ([, quoted, plain = '']) => quoted?.replaceAll('""', '"') ?? plain);
}

/** SHA-256 of all that is added, for files too large to hold. */
export class RunningHash {
  readonly #hash = createHash('sha256');

  readonly add = (text: string): void => void this.#hash.update(text);

  hex(): string {
    return this.#hash.digest('hex');
  }
}
