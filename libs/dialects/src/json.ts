import { markedNumber, parseExact } from './exact-json';

/** A JSON object nobody has looked into yet. */
export type Json = Readonly<Record<string, unknown>>;

export const record = (value: unknown): Json | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;

/** The objects of a list; what is no list has none, and what is no object is left out. */
export const records = (value: unknown): Json[] =>
  Array.isArray(value) ? value.filter((one): one is Json => record(one) !== undefined) : [];

export const text = (value: unknown): string | undefined =>
  typeof value === 'string' && markedNumber(value) === undefined ? value : undefined;

export const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];

export function number(value: unknown): number | undefined {
  const told = typeof value === 'string' ? markedNumber(value) : value;
  return typeof told === 'number' && Number.isFinite(told) ? told : undefined;
}

/** A count that a provider tells; what is none counts nothing. */
export const count = (value: unknown): number => Math.max(0, Math.trunc(number(value) ?? 0));

/** Whether a member says anything: null and absent are the same in every dialect. */
export const isSet = (value: unknown): boolean => value !== undefined && value !== null;

/** The object that a text of JSON holds, or undefined. */
export function parseRecord(json: string): Json | undefined {
  try {
    return record(parseExact(json));
  } catch {
    return undefined;
  }
}

/** The object without the members that are undefined, so that what a dialect does not know is not sent as null. */
export function compact(members: Record<string, unknown>): Record<string, unknown> {
  for (const key in members) if (members[key] === undefined) delete members[key];
  return members;
}

/** A client may send hundreds of thousands: too many for the arguments of one call, and to be copied for each. */
export function append<T>(list: T[], more: readonly T[]): void {
  for (const one of more) list.push(one);
}
