import { Secret } from '../secret';

/** A file may be replaced by another one altogether; whoever wants to know more then reads the files. */
const MOST = 100;

/**
 * The names of the settings that differ, as in `providers.azure.apiKey`. What stands in a list goes by its own name, or else by its
 * place. Values are not told, since some are secrets.
 */
export function changedSettings(before: unknown, after: unknown): readonly string[] {
  const names: string[] = [];
  compare(before, after, [], names);
  return names.length > MOST ? [...names.slice(0, MOST), `and ${names.length - MOST} more`] : names;
}

/** Secrets print as a mask, so they are compared by value here. */
export const sameSettings = (a: unknown, b: unknown): boolean =>
  JSON.stringify(a, reveal) === JSON.stringify(b, reveal);

function reveal(this: unknown, key: string, value: unknown): unknown {
  const raw = (this as Record<string, unknown>)[key];
  return raw instanceof Secret ? raw.reveal() : value;
}

function compare(before: unknown, after: unknown, path: readonly string[], names: string[]): void {
  if (sameSettings(before, after)) return;
  const [old, now] = [membersOf(before), membersOf(after)];
  // What came or went is told as a whole.
  if (!old || !now) return void names.push(path.join('.'));
  const keys = new Set([...old.keys(), ...now.keys()]);
  const already = names.length;
  for (const key of keys) compare(old.get(key), now.get(key), [...path, key], names);
  // The same things in another order: of routes and keys that matters.
  if (names.length === already) names.push(path.join('.'));
}

function membersOf(value: unknown): ReadonlyMap<string, unknown> | null {
  if (typeof value !== 'object' || value === null || value instanceof Secret || value instanceof Uint8Array)
    return null;
  if (!Array.isArray(value)) return new Map(Object.entries(value));
  return new Map(value.map((item: unknown, place) => [nameOf(item) ?? String(place), item]));
}

function nameOf(item: unknown): string | undefined {
  if (typeof item !== 'object' || item === null) return undefined;
  const { name, id } = item as Readonly<Record<string, unknown>>;
  return [name, id].find((each): each is string => typeof each === 'string');
}
