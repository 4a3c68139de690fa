import { DECLARED_DEAD, fenceOf, outdated, UNKNOWN } from './fence';

test.each([
  ['as many commits as are known', { ended: false, commits: 7n }, 7n, null],
  ['more, because an acknowledgement was lost', { ended: false, commits: 8n }, 7n, null],
  ['none of one that has none', { ended: false, commits: 0n }, 0n, null],
  ['fewer', { ended: false, commits: 4n }, 7n, outdated(3n)],
  ['an end', { ended: true, commits: 7n }, 7n, DECLARED_DEAD],
  ['nothing', undefined, 0n, UNKNOWN],
])('of a process the database knows %s', (_, standing, known, fence) => {
  expect(fenceOf(standing, known)).toEqual(fence);
});

test('says how many commits are missing', () => {
  expect(outdated(3n).detail).toContain('(commits missing: 3)');
});
