import type { Amounts } from './amounts';
import { Attribution, type Attributed } from './scopes/attribution';

/** Amounts charged to budget windows. */
export interface Charge {
  readonly id: string;
  readonly atMs: number;
  readonly attribution: Attribution;
  /** Ids of the windows, joined by commas; empty for a request that uses nothing. */
  readonly windows: string;
  readonly amount: Amounts;
}

/** What a journal says: that a hold was made, settled or released, or to whom a number in such lines attributes it. */
export type JournalEntry =
  | (Charge & { readonly kind: 'held'; readonly draft: unknown })
  | (Charge & { readonly kind: 'settled'; readonly row: unknown })
  | { readonly kind: 'released'; readonly id: string }
  | { readonly kind: 'attribution'; readonly number: number; readonly attribution: Attribution };

const ATTRIBUTION = /^A (\d{1,15}) ([a-z0-9_-]{1,32}) (.*)$/s;
const CHARGE = /^([HS]) ([0-9a-f]{32}) (\d{1,16}) (\d{1,15}) ((?:\d+(?:,\d+)*)?) (\d{1,19}) (\d{1,19}) (.*)$/s;
const RELEASED = /^R ([0-9a-f]{32})$/;

/** Stands in a segment before the first line that has its number. */
export const attributionLine = ({ number, tenantId, json }: Attribution): string => `A ${number} ${tenantId} ${json}\n`;

/** @param draft JSON, which keeps line breaks out of the line */
export const heldLine = (charge: Charge, draft: string): string => chargeLine('H', charge, draft);

/** @param row JSON, as well */
export const settledLine = (charge: Charge, row: string): string => chargeLine('S', charge, row);

/** The id in a `settledLine`. */
export const idIn = (line: string): string => line.slice(2, 34);

export const releasedLine = (id: string): string => `R ${id}\n`;

/** Joined, because a settled one waits for the database too, and what is added up stays in pieces that wait with it. */
const chargeLine = (kind: 'H' | 'S', { id, atMs, attribution, windows, amount }: Charge, json: string): string =>
  [kind, id, atMs, attribution.number, windows, amount.cost, amount.tokens, json + '\n'].join(' ');

/** Says nothing; written to find out whether writing works again. */
export const PROBE_LINE = 'P\n';

/**
 * Reads a line without its end.
 * @param known the attributions of the lines before
 * @returns `null` for a probe, `undefined` if it is none of ours or names an attribution that is not known
 */
export function readLine(text: string, known: ReadonlyMap<number, Attribution>): JournalEntry | null | undefined {
  if (text === 'P') return null;
  const [, released] = RELEASED.exec(text) ?? [];
  if (released !== undefined) return { kind: 'released', id: released };
  const [, number, tenantId, facts] = ATTRIBUTION.exec(text) ?? [];
  if (facts !== undefined) {
    const attribution = new Attribution(tenantId as string, JSON.parse(facts) as Attributed);
    return { kind: 'attribution', number: Number(number), attribution };
  }
  const [, kind, id, at, of, windows, cost, tokens, json] = CHARGE.exec(text) ?? [];
  const attribution = known.get(Number(of));
  if (json === undefined || !attribution) return undefined;
  const amount = { cost: BigInt(cost as string), tokens: BigInt(tokens as string) };
  const charge = { id, atMs: Number(at), attribution, windows, amount } as Charge;
  return kind === 'H'
    ? { ...charge, kind: 'held', draft: JSON.parse(json) }
    : { ...charge, kind: 'settled', row: JSON.parse(json) };
}
