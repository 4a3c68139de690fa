import type { ValidationFault } from '@app/platform';

/** What entries of a card's lists are told apart by, and what a card does with it. */
const UNIQUE = {
  prices: { member: 'model', does: 'prices' },
  markups: { member: 'tenant', does: 'names' },
} as const;

/** Entries that name what another has named before, in the form of a validation's faults. */
export function repeatedIn(list: keyof typeof UNIQUE, entries: unknown): ValidationFault[] {
  if (!Array.isArray(entries)) return [];
  const { member, does } = UNIQUE[list];
  const seen = new Set<string>();
  return entries.flatMap((entry: Partial<Record<string, unknown>> | null, index) => {
    const name = entry?.[member];
    if (typeof name !== 'string') return [];
    if (seen.has(name)) return [{ path: [list, String(index), member], problem: `${does} "${name}" a second time` }];
    seen.add(name);
    return [];
  });
}
