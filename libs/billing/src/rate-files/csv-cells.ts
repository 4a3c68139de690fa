import { placeOf, RateFileError, type Place } from './rate-file';

/** A field with where it begins. */
export interface Cell extends Place {
  readonly text: string;
}

const QUOTED = /"((?:[^"]|"")*)"/y;
const PLAIN = /[^",\r\n]*/y;

/**
 * Reads RFC 4180: fields between commas, in quotes where they hold a comma, a quote (doubled) or a line break. A byte order
 * mark, either line ending and a last line without one are accepted; lines that hold nothing but commas and blanks are left out.
 * @throws RateFileError for a quote in the wrong place
 */
export function readCsvCells(text: string): Cell[][] {
  const rows: Cell[][] = [];
  let row: Cell[] = [];
  let at = text.startsWith('\ufeff') ? 1 : 0;
  let line = 1;
  let lineStart = at;
  while (at <= text.length) {
    const column = at - lineStart + 1;
    const quoted = text[at] === '"';
    const shape = quoted ? QUOTED : PLAIN;
    shape.lastIndex = at;
    const match = shape.exec(text);
    if (!match) throw new RateFileError([{ problem: 'the quote is not closed', line, column }]);
    row.push({ text: quoted ? (match[1] as string).replaceAll('""', '"') : match[0].trim(), line, column });
    const breaks = quoted ? match[0].split('\n').length - 1 : 0;
    line += breaks;
    if (breaks > 0) lineStart = at + match[0].lastIndexOf('\n') + 1;
    at += match[0].length;

    if (text[at] === ',') {
      at += 1;
      continue;
    }
    const end = /\r?\n|$/y;
    end.lastIndex = at;
    const ending = end.exec(text);
    if (!ending) throw new RateFileError([{ problem: 'a quote must enclose the whole field', ...placeOf(text, at) }]);
    if (row.some((cell) => cell.text !== '')) rows.push(row);
    row = [];
    at += ending[0].length;
    if (ending[0] === '') break;
    line += 1;
    lineStart = at;
  }
  return rows;
}
