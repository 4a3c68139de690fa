import fc from 'fast-check';
import { csvHeader, csvLines, original, type Column } from './csv';

interface Row {
  readonly name: string | null;
  readonly amount: string;
}
const columns: readonly Column<Row>[] = [
  { name: 'name', text: true, cell: ({ name }) => name },
  { name: 'amount', cell: ({ amount }) => amount },
];
const line = (name: string | null, amount = '1.00'): string => csvLines(columns, [{ name, amount }]);

it('writes RFC 4180', () => {
  expect(csvHeader(columns)).toBe('name,amount\r\n');
  expect(line('plain')).toBe('plain,1.00\r\n');
  expect(line('a,b')).toBe('"a,b",1.00\r\n');
  expect(line('say "hi"')).toBe('"say ""hi""",1.00\r\n');
  expect(line('two\nlines')).toBe('"two\nlines",1.00\r\n');
  expect(line(null)).toBe(',1.00\r\n');
});

it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\tx', '\rx'])('disarms the formula %j', (text) => {
  expect(line(text).replace(/^"/, '').startsWith(`'${text}`)).toBe(true);
});

it('leaves numbers alone, negative ones included', () => {
  expect(line('x', '-0.000000075')).toBe('x,-0.000000075\r\n');
});

it('can always be undone', () => {
  const cell = fc
    .array(fc.constantFrom("'", '=', '-', '"', ',', '\r', '\n', '\t', 'a', '€'), { minLength: 1 })
    .map((c) => c.join(''));
  fc.assert(
    fc.property(cell, (text) => {
      const written = line(text).slice(0, -',1.00\r\n'.length);
      const unquoted = written.startsWith('"') ? written.slice(1, -1).replaceAll('""', '"') : written;
      expect(/^[=+\-@\t\r]/.test(unquoted)).toBe(false);
      expect(original(unquoted)).toBe(text);
    }),
  );
});
