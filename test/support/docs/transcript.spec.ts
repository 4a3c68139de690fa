import { readPage } from './page';
import { readTranscript } from './transcript';

const transcript = (...lines: string[]) => readTranscript({ language: 'console', line: 10, lines });

test('a command has the lines up to the next prompt as its output', () => {
  expect(transcript('$ echo a', 'a', '', '$ true')).toEqual([
    { line: 10, command: 'echo a', exitCode: 0, expected: ['a', ''] },
    { line: 13, command: 'true', exitCode: 0, expected: [] },
  ]);
});

test.each([
  ['a backslash at the end of the line', ['$ echo a \\', '    b'], 'echo a \\\n    b'],
  ['an open single quote', ["$ echo 'a", '$ b\\', "c'"], "echo 'a\n$ b\\\nc'"],
  ['an open double quote with an escaped one in it', ['$ echo "a\\"', 'b"'], 'echo "a\\"\nb"'],
  ['a here-document', ["$ cat > x <<'END'", "it's", '$ 5', 'END'], "cat > x <<'END'\nit's\n$ 5\nEND"],
])('a command goes on after %s', (_, lines, command) => {
  expect(transcript(...lines, 'out')).toEqual([{ line: 10, command, exitCode: 0, expected: ['out'] }]);
});

test('another exit code than 0 is said behind the command', () => {
  expect(transcript('$ false  # exits 1')).toEqual([{ line: 10, command: 'false', exitCode: 1, expected: [] }]);
  expect(transcript('$ echo "# exits 1"', '# exits 1')[0]).toMatchObject({ exitCode: 0, expected: ['# exits 1'] });
});

test.each([
  ['output without a command', ['a']],
  ['a quote that is never closed', ["$ echo 'a", '$ echo b']],
  ['a here-document without an end', ['$ cat <<END', 'a']],
])('%s is refused with its line', (_, lines) => expect(() => transcript(...lines)).toThrow(/^line 10:/));

test('a page is parted into blocks and prose that keep their lines', () => {
  const page = readPage('a.md', ['# A', '```console', '$ b', '```', '`c`', '````md', '```', '````'].join('\n'));
  expect(page.blocks).toEqual([
    { language: 'console', line: 3, lines: ['$ b'] },
    { language: 'md', line: 7, lines: ['```'] },
  ]);
  expect(page.prose).toEqual(['# A', '', '', '', '`c`', '', '', '']);
  expect(() => readPage('a.md', 'x\n```sh\nb')).toThrow('a.md:2');
});
