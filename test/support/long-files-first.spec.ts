import { join, resolve } from 'node:path';

interface Sequencer {
  time(test: { path: string }): number | undefined;
  hasFailed(): boolean;
  sort(tests: readonly unknown[]): { path: string }[];
}

const LongFilesFirst = jest.requireActual<new (options: object) => Sequencer>('./long-files-first.cjs');
const ROOT = resolve(__dirname, '../..');

/** Sorts files of which nothing is known but how large they are, or for how long they ran. */
function sorted(files: Readonly<Record<string, { size: number; duration?: number }>>): string[] {
  const sequencer = new LongFilesFirst({ contexts: [], globalConfig: {} });
  const of = (path: string) => files[path.slice(ROOT.length + 1)];
  sequencer.time = ({ path }) => of(path)?.duration;
  sequencer.hasFailed = () => false;
  const context = { config: { cache: false }, hasteFS: { getSize: (path: string) => of(path)?.size } };
  const tests = Object.keys(files).map((name) => ({ path: join(ROOT, name), context }));
  return sequencer.sort(tests).map(({ path }) => path.slice(ROOT.length + 1));
}

test('a clone that has run nothing yet begins with the files that are known to be long, then goes by size', () => {
  const files = {
    'test/faults/prove-budget.spec.ts': { size: 1 },
    'small.spec.ts': { size: 2 },
    'large.spec.ts': { size: 3 },
    'test/e2e/docs.e2e-spec.ts': { size: 1 },
  };
  expect(sorted(files)).toEqual([
    'test/e2e/docs.e2e-spec.ts',
    'test/faults/prove-budget.spec.ts',
    'large.spec.ts',
    'small.spec.ts',
  ]);
});

test('where files have been timed, that counts', () => {
  const files = {
    'test/faults/prove-budget.spec.ts': { size: 1, duration: 10 },
    'long.spec.ts': { size: 1, duration: 30 },
  };
  expect(sorted(files)).toEqual(['long.spec.ts', 'test/faults/prove-budget.spec.ts']);
});
