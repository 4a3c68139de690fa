import { Cohort } from './cohort';

const turn = (): Promise<void> => new Promise((next) => setImmediate(next));

test('what comes in one turn is worked on together, behind what this turn brings, in the order it came', async () => {
  const done: (number | string)[] = [];
  const cohort = new Cohort<number>((member) => done.push(member));
  cohort.add(1);
  await Promise.resolve();
  cohort.add(2);
  done.push('the turn');
  await turn();
  expect(done).toEqual(['the turn', 1, 2]);
});

test('what comes in meanwhile is worked on in the next turn', async () => {
  const done: number[] = [];
  const cohort = new Cohort<number>((member) => {
    done.push(member);
    if (member < 3) cohort.add(member + 1);
  });
  cohort.add(1);
  await turn();
  expect(done).toEqual([1]);
  await turn();
  await turn();
  expect(done).toEqual([1, 2, 3]);
});
