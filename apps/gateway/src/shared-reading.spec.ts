import { SharedReading } from './shared-reading';

let nowMs: number;
let taken: number;
beforeEach(() => {
  nowMs = 0;
  taken = 0;
});
const reading = (take: () => Promise<number>) => new SharedReading(take, 3_000, () => nowMs);

test('who asks within its time shares it, even while it is being taken', async () => {
  const shared = reading(() => Promise.resolve(++taken));
  expect(await Promise.all([shared.read(), shared.read()])).toEqual([1, 1]);
  nowMs = 2_999;
  expect(await shared.read()).toBe(1);
  nowMs = 3_000;
  expect(await shared.read()).toBe(2);
});

test('one that failed is tried again at once', async () => {
  const shared = reading(() => (++taken === 1 ? Promise.reject(new Error('away')) : Promise.resolve(taken)));
  await expect(shared.read()).rejects.toThrow('away');
  expect(await shared.read()).toBe(2);
});
