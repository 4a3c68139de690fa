import { documentedColumns } from './schema-page';
import { formOf, STATEMENT_SCHEMA } from '../src/statements/statement-line';
import { LAYOUTS } from '../src/reports/layouts';

const TYPES = new Set(['text', 'bigint', 'numeric', 'timestamptz', 'date', 'integer']);

const columns: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(
    Object.entries(LAYOUTS).map(([name, layout]) => [name, layout.columns.map((each) => each.name)]),
  ),
  statement: formOf(STATEMENT_SCHEMA).names,
};

it.each(Object.keys(columns))('the page for finance tells every column of the layout %s, and no other', (layout) => {
  const documented = documentedColumns(layout);
  expect([...documented.keys()].sort()).toEqual([...(columns[layout] ?? [])].sort());
  for (const type of documented.values()) expect(TYPES).toContain(type);
});
