import { behindCohorts, Cohort } from './cohort';

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

test('what is to be done behind cohorts is done once they and what follows from them are, in their turn', async () => {
  const done: string[] = [];
  const cohorts = ['one', 'other'].map(
    (name) =>
      new Cohort<number>((member) => {
        done.push(`${name} ${member}`);
        void Promise.resolve().then(() => {
          done.push(`after ${name} ${member}`);
          behindCohorts(() => done.push(`behind ${name} ${member}`));
        });
      }),
  );
  for (const cohort of cohorts) cohort.add(1);
  setImmediate(() => done.push('the next thing'));
  await turn();
  const names = ['one 1', 'other 1'];
  const following = ['after', 'behind'].flatMap((place) => names.map((name) => `${place} ${name}`));
  expect(done).toEqual([...names, ...following, 'the next thing']);
});

test('behind cohorts that have their end still to come, too', async () => {
  const done: string[] = [];
  const cohort = new Cohort<string>((member) => {
    done.push(member);
    if (member === 'first') cohort.add('second');
    behindCohorts(() => done.push(`behind ${member}`));
  });
  cohort.add('first');
  await turn();
  expect(done).toEqual(['first', 'behind first']);
  await turn();
  expect(done).toEqual(['first', 'behind first', 'second', 'behind second']);
});

test('without cohorts it is done at the end of the turn', async () => {
  const done: string[] = [];
  behindCohorts(() => done.push('behind'));
  done.push('the turn');
  await turn();
  expect(done).toEqual(['the turn', 'behind']);
});
