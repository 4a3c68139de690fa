import { crc32 } from 'node:zlib';
import type { Amounts } from './amounts';

/** What a journal says of one hold: made, settled, or released. */
export type JournalEntry =
  | (Charge & { readonly kind: 'held'; readonly draft: unknown })
  | (Charge & { readonly kind: 'settled'; readonly row: unknown })
  | { readonly kind: 'released'; readonly id: string };

/** Amounts charged to budget windows; every entry repeats it, so that each can be read alone. */
export interface Charge {
  readonly id: string;
  readonly atMs: number;
  readonly tenantId: string;
  /** Ids of the windows, joined by commas. */
  readonly windows: string;
  readonly amount: Amounts;
}

const LINE = /^([0-9a-f]{8}) (.*)$/;
const CHARGE = /^([HS]) ([0-9a-f]{32}) (\d{1,16}) ([a-z0-9_-]{1,32}) (\d+(?:,\d+)*) (\d{1,19}) (\d{1,19}) (.*)$/;
const RELEASED = /^R ([0-9a-f]{32})$/;

/** A line, with its end, that tells by its checksum whether it is whole. */
const line = (body: string): string => `${crc32(body).toString(16).padStart(8, '0')} ${body}\n`;

/** @param draft JSON, which keeps line breaks out of the line */
export const heldLine = (charge: Charge, draft: string): string => line(chargeBody('H', charge, draft));

/** @param row JSON, as well */
export const settledLine = (charge: Charge, row: string): string => line(chargeBody('S', charge, row));

export const releasedLine = (id: string): string => line(`R ${id}`);

/** Says nothing; written to find out whether writing works again. */
export const PROBE_LINE = line('P');

const chargeBody = (kind: 'H' | 'S', { id, atMs, tenantId, windows, amount }: Charge, payload: string): string =>
  `${kind} ${id} ${atMs} ${tenantId} ${windows} ${amount.cost} ${amount.tokens} ${payload}`;

/**
 * Reads a line without its end.
 * @returns `null` for a probe, `undefined` if the line is not whole or was never one of ours
 */
export function readLine(text: string): JournalEntry | null | undefined {
  const [, checksum, body] = LINE.exec(text) ?? [];
  if (checksum === undefined || body === undefined || crc32(body) !== Number.parseInt(checksum, 16)) return undefined;
  if (body === 'P') return null;
  const [, released] = RELEASED.exec(body) ?? [];
  if (released !== undefined) return { kind: 'released', id: released };
  const [, kind, id, at, tenantId, windows, cost, tokens, json] = CHARGE.exec(body) ?? [];
  if (json === undefined) return undefined;
  const amount = { cost: BigInt(cost as string), tokens: BigInt(tokens as string) };
  const charge = { id, atMs: Number(at), tenantId, windows, amount } as Charge;
  return kind === 'H'
    ? { ...charge, kind: 'held', draft: JSON.parse(json) }
    : { ...charge, kind: 'settled', row: JSON.parse(json) };
}
