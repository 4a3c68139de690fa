import { matchesPattern } from '@app/platform';

/**
 * The patterns that allow exactly what both lists allow; `null` stands for everything. One list is enough, because of
 * two patterns that overlap one always lies inside the other.
 */
export function commonPatterns(a: readonly string[] | null, b: readonly string[] | null): readonly string[] | null {
  if (a === null || b === null) return a ?? b;
  return [
    ...new Set([...a.filter((pattern) => coveredBy(pattern, b)), ...b.filter((pattern) => coveredBy(pattern, a))]),
  ];
}

/** Whether every model the pattern allows is allowed by one of the list's. */
export const coveredBy = (pattern: string, list: readonly string[]): boolean =>
  list.some((wider) => wider === pattern || (wider.endsWith('*') && matchesPattern(wider, pattern)));
