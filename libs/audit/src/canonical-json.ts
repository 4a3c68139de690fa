import { createHash } from 'node:crypto';
import { maskKeys, Secret } from '@app/platform';

/** Members of these names are dropped when they hold text or bytes: whatever it is, it is not for a log. */
const SECRET_NAMES = new Set([
  'hash',
  'secret',
  'apikey',
  'plaintext',
  'token',
  'password',
  'privatekey',
  'authorization',
]);

/** Deeper than any view of ours; also ends a value that contains itself. */
const MAX_DEPTH = 8;

/**
 * JSON with sorted member names and without secrets. What may appear is allowed by type: text (with anything key-shaped
 * masked), finite numbers, booleans, bigints as decimal strings, dates as ISO instants, arrays and the data members of
 * objects. Everything else (bytes, maps, functions, `undefined`) is left out, and a `Secret` shows only that there is one.
 */
export const canonicalJson = (value: unknown): string => JSON.stringify(plain(value, 0) ?? null);

/** The same, but a text above `maxBytes` is replaced by its size and SHA-256, so that a record stays small. */
export function boundedJson(value: unknown, maxBytes: number): string {
  const json = canonicalJson(value);
  const bytes = Buffer.byteLength(json);
  if (bytes <= maxBytes) return json;
  return JSON.stringify({ omitted: { bytes, sha256: createHash('sha256').update(json).digest('hex') } });
}

function plain(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      return maskKeys(value);
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) ? value : undefined;
    case 'bigint':
      return value.toString();
    case 'object':
      return value === null ? null : plainObject(value, depth);
    default:
      return undefined;
  }
}

function plainObject(value: object, depth: number): unknown {
  if (value instanceof Secret) return value.toJSON();
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : value.toISOString();
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof Map || value instanceof Set)
    return undefined;
  if (depth === MAX_DEPTH) return '[deeper]';
  if (Array.isArray(value)) return value.map((item) => plain(item, depth + 1) ?? null);
  const members = Object.entries(value)
    .filter(([name, member]) => !isSecret(name, member))
    .map(([name, member]) => [maskKeys(name), plain(member, depth + 1)] as const)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members);
}

const isSecret = (name: string, member: unknown): boolean =>
  SECRET_NAMES.has(name.toLowerCase().replace(/[_-]/g, '')) &&
  (typeof member === 'string' || (typeof member === 'object' && member !== null && ArrayBuffer.isView(member)));
