import { matchesPattern } from '@app/platform';

/** Whether a card's patterns price a catalogue entry; an entry that is a pattern itself, whether they price any name under it. */
export function isPriced(id: string, patterns: readonly string[]): boolean {
  const stem = id.endsWith('*') ? id.slice(0, -1) : null;
  return patterns.some((pattern) => matchesPattern(pattern, stem ?? id) || (stem !== null && pattern.startsWith(stem)));
}
