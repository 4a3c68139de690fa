/** Model patterns: an exact name, or a prefix ending in `*`. The longest match wins wherever several apply. */
export const matchesPattern = (pattern: string, name: string): boolean =>
  pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name;

/** The most specific pattern that matches, exact before prefix, longer before shorter. */
export function bestMatch<T>(entries: ReadonlyMap<string, T>, name: string): T | undefined {
  const exact = entries.get(name);
  if (exact !== undefined) return exact;
  for (let length = name.length; length >= 0; length--) {
    const prefix = entries.get(`${name.slice(0, length)}*`);
    if (prefix !== undefined) return prefix;
  }
  return undefined;
}
