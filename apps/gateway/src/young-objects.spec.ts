import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const HOOK = join(__dirname, '../../../libs/audit/fixtures/typescript-hook.cjs');

/** Whether what is made in one place is still made among the young objects when much of it was kept for some collections. */
const STAYS_YOUNG = `
  const make = (number) => ({ number, parts: [number] });
  for (let round = 0; round < 40 && %InYoungGeneration(make(0)); round++) {
    const kept = [];
    for (let number = 0; number < 50_000; number++) kept.push(make(number));
    globalThis.kept = kept;
  }
  console.log(%InYoungGeneration(make(0)));`;

const staysYoung = (before: string): boolean =>
  JSON.parse(
    execFileSync(
      process.execPath,
      ['--allow-natives-syntax', '--max-semi-space-size=1', '-r', HOOK, '-e', before + STAYS_YOUNG],
      {
        encoding: 'utf8',
      },
    ),
  ) as boolean;

test('what is made is young, however long what was made there before has lived', () => {
  expect(staysYoung('')).toBe(false);
  expect(staysYoung(`require(${JSON.stringify(join(__dirname, 'young-objects.ts'))}).makeObjectsYoung();`)).toBe(true);
});
