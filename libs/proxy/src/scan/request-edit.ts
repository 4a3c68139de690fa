import { KeySet } from './key-set';
import { type JsonObject, type Member, membersAt } from './request-scan';

/** Raw text to be put into a body, where it makes a member of an object that has others. */
export interface Insertion {
  readonly at: number;
  readonly text: string;
}

/** Changes to the top-level members of an object. Values in `set` are raw JSON text; a key in both lists is set. */
export interface Edits {
  readonly remove?: readonly string[];
  readonly set?: Readonly<Record<string, string>>;
  /** Deeper down, in members that are neither set nor removed. */
  readonly insert?: readonly Insertion[] | undefined;
}

const INCLUDE_USAGE = new KeySet(['include_usage']);

/** New text, raw, in the place of some bytes of a body. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Removes, replaces and adds members of a scanned object by splicing bytes: everything else stays as it was sent.
 * `wanted` of the scan has to name every key edited here. New members come first, so that a provider which stops
 * reading early has them. Returns `body` itself when nothing changes.
 */
export function editMembers(body: Buffer, object: JsonObject, edits: Edits): Buffer {
  const { remove = [], insert = [] } = edits;
  const set = Object.entries(edits.set ?? {});
  if (set.length === 0 && remove.length === 0 && insert.length === 0) return body;
  const overridden = new Set(set.map(([key]) => key));
  const removed = [...new Set(remove)]
    .filter((key) => !overridden.has(key))
    .flatMap((key) => object.members.get(key) ?? []);

  const added = set.filter(([key]) => !object.members.has(key)).map(([key, raw]) => `${JSON.stringify(key)}:${raw}`);
  const splices: Splice[] = [];
  if (added.length > 0) {
    const comma = object.count > removed.length ? ',' : '';
    splices.push({ start: object.open + 1, end: object.open + 1, text: added.join(',') + comma });
  }
  for (const [key, raw] of set) {
    const member = object.members.get(key);
    if (member) splices.push({ start: member.valueStart, end: member.valueEnd, text: raw });
  }
  for (const { at, text } of insert) splices.push({ start: at, end: at, text });
  splices.push(...cuts(removed, object.count));
  return splice(body, splices);
}

/** The value of `stream_options` that asks for the usage at the end of a stream; other options of the caller are kept. */
export function usageAsked(body: Buffer, object: JsonObject): string {
  const options = object.members.get('stream_options');
  if (options && body[options.valueStart] === 0x7b) {
    const value = body.subarray(options.valueStart, options.valueEnd);
    const inner = membersAt(value, 0, INCLUDE_USAGE);
    if (inner.ok) return editMembers(value, inner.object, { set: { include_usage: 'true' } }).toString('utf8');
  }
  return '{"include_usage":true}';
}

/** A member takes the comma behind it along; those at the end take the comma before the first of them instead. */
function cuts(removed: Member[], count: number): Splice[] {
  const members = removed.sort((a, b) => a.index - b.index);
  const splices: Splice[] = [];
  let last = count - 1;
  while (members.length > 0 && members[members.length - 1]!.index === last) {
    const member = members.pop()!;
    const start = member.index > 0 ? member.from - 1 : member.from;
    splices.push({ start, end: member.to, text: '' });
    last -= 1;
  }
  for (const member of members) splices.push({ start: member.from, end: member.to + 1, text: '' });
  return splices;
}

/** The body with all of them, in whatever order they are given; `body` itself where there is none. */
export function splice(body: Buffer, splices: Splice[]): Buffer {
  if (splices.length === 0) return body;
  const pieces: Buffer[] = [];
  let at = 0;
  for (const { start, end, text } of splices.sort((a, b) => a.start - b.start)) {
    pieces.push(body.subarray(at, start), Buffer.from(text, 'utf8'));
    at = end;
  }
  pieces.push(body.subarray(at));
  return Buffer.concat(pieces);
}
