/** A key that was found: `folded` if it is one only for parsers that ignore case. */
interface Found {
  readonly name: string;
  readonly folded: boolean;
}

interface Key extends Found {
  readonly bytes: Buffer;
}

const BACKSLASH = '\\';

/** Longest spelling of a key worth decoding: six bytes for each character of the longest wanted key, and some. */
const LONGEST_SPELLING_BYTES = 256;

/** Bytes of which a key is made that can be nothing but itself: no escape, no capital, nothing outside of ASCII. */
const ORDINARY = new Uint8Array(256);
for (const character of 'abcdefghijklmnopqrstuvwxyz0123456789_') ORDINARY[character.charCodeAt(0)] = 1;

/** Parameter names in snake case to be found in JSON text, without making a string of every key that is there. */
export class KeySet {
  private readonly byLength: Key[][] = [];
  private readonly names: ReadonlySet<string>;

  constructor(names: Iterable<string>) {
    this.names = new Set(names);
    for (const name of this.names)
      (this.byLength[name.length] ??= []).push({ name, folded: false, bytes: Buffer.from(name, 'latin1') });
  }

  /**
   * Which key is spelled from `start` to `end`, quotes excluded: `name` with its escapes resolved, `folded` if it is one
   * only for parsers that ignore case as Go's does, where the long s and the Kelvin sign are an s and a k as well.
   */
  find(body: Buffer, start: number, end: number): Found | undefined {
    for (const key of this.byLength[end - start] ?? []) {
      if (spells(body, start, key.bytes)) return key;
    }
    if (end - start > LONGEST_SPELLING_BYTES || isOrdinary(body, start, end)) return undefined;
    const raw = body.toString('utf8', start, end);
    const name = raw.includes(BACKSLASH) ? (JSON.parse(`"${raw}"`) as string) : raw;
    if (this.names.has(name)) return { name, folded: false };
    return this.names.has(name.toUpperCase().toLowerCase()) ? { name, folded: true } : undefined;
  }
}

function spells(body: Buffer, at: number, bytes: Buffer): boolean {
  for (let i = 0; i < bytes.length; i += 1) {
    if (body[at + i] !== bytes[i]) return false;
  }
  return true;
}

function isOrdinary(body: Buffer, start: number, end: number): boolean {
  for (let i = start; i < end; i += 1) {
    if (ORDINARY[body[i]!] !== 1) return false;
  }
  return true;
}
