import { gatherMsAfter } from './gather';

test.each([
  ['briefly behind one that was booked at once', 30, 100],
  ['twice as long as one took that kept the database busy', 150, 300],
  ['and no longer than half a second, whatever held one up', 10_000, 500],
])('rows are gathered %s', (_, tookMs, gatherMs) => {
  expect(gatherMsAfter(tookMs)).toBe(gatherMs);
});
