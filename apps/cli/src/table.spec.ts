import { facts, printable, table } from './table';

describe('table', () => {
  it('aligns columns and leaves no space at the end of a line', () => {
    const rows = [
      { name: 'a', cost: '12.50', note: '' },
      { name: 'long name', cost: '0.000000075', note: 'x' },
    ];
    expect(
      table(
        [
          { title: 'name', of: (r) => r.name },
          { title: 'cost', of: (r) => r.cost, right: true },
          { title: 'note', of: (r) => r.note },
        ],
        rows,
      ),
    ).toBe('NAME              COST  NOTE\na                12.50  -\nlong name  0.000000075  x\n');
  });

  it('lets nobody write to the terminal through a name', () => {
    expect(printable('a\u001b[2Kb\r\n\u009bc\u202e')).toBe('a\\u001b[2Kb\\u000d\\u000a\\u009bc\\u202e');
    expect(facts([['path', '\u001b]0;title\u0007']])).toBe('path  \\u001b]0;title\\u0007\n');
    expect(printable('Zoë 部門 🙂')).toBe('Zoë 部門 🙂');
  });
});
