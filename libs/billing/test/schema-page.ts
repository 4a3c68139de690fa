import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** The columns of a layout as the page for finance promises them: name → type as PostgreSQL calls it. */
export type DocumentedColumns = ReadonlyMap<string, string>;

const page = (): string => readFileSync(resolve(__dirname, '../../../docs/finance.md'), 'utf8');

/** Cells of the rows below a heading's first table that begins so. */
function rowsOf(head: string): string[][] {
  const [, rest = ''] = page().split(`${head}\n`);
  const lines = rest.split('\n').slice(1);
  return lines
    .slice(
      0,
      lines.findIndex((line) => !line.startsWith('|')),
    )
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
}

const named = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '');

export function documentedColumns(layout: string): DocumentedColumns {
  const rows =
    layout === 'focus'
      ? rowsOf('| column | type | what it is here |').map(([names = '', type = '']) => [names, type])
      : rowsOf('| column | in | type | meaning |')
          .filter(([, layouts = '']) => layouts.split(', ').includes(layout))
          .map(([names = '', , type = '']) => [names, type]);
  return new Map(rows.flatMap(([names = '', type = '']) => named(names).map((name) => [name, type] as const)));
}
