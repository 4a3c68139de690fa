import { FaultLog } from './fault-log';

test('of what all calls fail of, one a second is told, with how many were not', () => {
  const faults = new FaultLog();
  const at = (ms: number) => faults.toTell('database_unavailable', ms);
  expect([at(0), at(1), at(999), at(1_000), at(1_001), at(5_000), at(9_000)]).toEqual([0, null, null, 2, null, 1, 0]);
  // Of another kind, for itself.
  expect(faults.toTell('journal_unavailable', 9_001)).toBe(0);
});

test('of what a call may be the cause of, each is told', () => {
  const faults = new FaultLog();
  expect([faults.toTell('internal_error', 0), faults.toTell('internal_error', 1)]).toEqual([0, 0]);
});
