import { atOnce, Turns, type Steps } from './turns';

/** Work that notes each of its steps, and lets a turn pass in one. */
function* noting(notes: string[], name: string, steps: number): Steps<string> {
  for (let i = 1; i <= steps; i++) {
    notes.push(`${name}${i}`);
    const start = performance.now();
    while (performance.now() - start < 5);
    if (i < steps) yield;
  }
  return name;
}

it('short work is over at once', () => {
  const notes: string[] = [];
  expect(new Turns().run('a', noting(notes, 'x', 1))).toBe('x');
  expect(notes).toEqual(['x1']);
});

it('tenants take turns; the jobs of one come one after another', async () => {
  const turns = new Turns();
  const notes: string[] = [];
  const run = (tenant: string, name: string, steps: number) => turns.run(tenant, noting(notes, name, steps));
  expect(await Promise.all([run('a', 'x', 3), run('a', 'y', 2), run('b', 'z', 3)])).toEqual(['x', 'y', 'z']);
  expect(notes).toEqual(['x1', 'y1', 'z1', 'x2', 'z2', 'x3', 'z3', 'y2']);
});

it('the event loop comes to other things between two turns', async () => {
  const notes: string[] = [];
  const work = new Turns().run('a', noting(notes, 'x', 4));
  setImmediate(() => notes.push('other'));
  await work;
  expect(notes).toEqual(['x1', 'x2', 'other', 'x3', 'x4']);
});

it('what a step throws is for whoever brought the work, and the next have their turn', async () => {
  const turns = new Turns();
  function* failing(step: number): Steps<void> {
    for (let i = 1; i < step; i++) yield;
    throw new Error(`in step ${step}`);
  }
  expect(() => turns.run('a', failing(1))).toThrow('in step 1');
  const [first, second] = [turns.run('a', failing(2)), turns.run('a', noting([], 'x', 2))];
  await expect(first).rejects.toThrow('in step 2');
  expect(await second).toBe('x');
});

it('all steps at once', () => {
  const notes: string[] = [];
  expect(atOnce(noting(notes, 'x', 3))).toBe('x');
  expect(notes).toHaveLength(3);
});
