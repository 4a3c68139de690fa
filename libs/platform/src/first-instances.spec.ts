import { FirstInstances } from './first-instances';

/** How many of some objects are there after garbage was collected, when nobody else has them. */
async function left(seen: readonly WeakRef<object>[]): Promise<number> {
  await new Promise((later) => setImmediate(later));
  collectGarbage();
  return seen.filter((one) => one.deref() !== undefined).length;
}

test('the first are there until there are eight, and none is kept after that', async () => {
  const firsts = new FirstInstances();
  const seen: WeakRef<object>[] = [];
  const make = (): void => {
    const one = {};
    seen.push(new WeakRef(one));
    firsts.keep(one);
  };
  for (let count = 1; count <= 7; count++) {
    make();
    expect([await left(seen), firsts.areSettled]).toEqual([count, false]);
  }
  make();
  expect([await left(seen), firsts.areSettled]).toEqual([0, true]);
  make();
  expect(await left(seen)).toBe(0);
});
