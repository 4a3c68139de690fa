import { decrypt, encrypt } from '@app/platform';
import type { AnswerKey } from './answer-key';

/** An answer as it is kept. */
export interface KeptAnswer {
  readonly isStream: boolean;
  readonly headers: Readonly<Record<string, string>>;
  /** Who answered: what is told and charged of a call that gets this answer. */
  readonly provider: string;
  readonly model: string;
  /** What it cost, in nano-units of the rate card's currency. */
  readonly costNanos: bigint;
  readonly body: Buffer;
}

const LENGTH_BYTES = 4;

/** Encrypted so that only whoever has the request can read it; the tenant and the id are sealed with it. */
export function sealAnswer({ id, secret }: AnswerKey, tenantId: string, { body, ...facts }: KeptAnswer): Buffer {
  const head = Buffer.from(JSON.stringify({ ...facts, costNanos: String(facts.costNanos) }));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(head.length);
  return encrypt(secret, bound(tenantId, id), length, head, body);
}

/** @throws Error where it is not what was sealed under that key */
export function openAnswer({ id, secret }: AnswerKey, tenantId: string, sealed: Buffer): KeptAnswer {
  const text = decrypt(secret, bound(tenantId, id), sealed);
  const bodyAt = LENGTH_BYTES + text.readUInt32BE();
  const head = JSON.parse(text.toString('utf8', LENGTH_BYTES, bodyAt)) as Omit<KeptAnswer, 'body' | 'costNanos'> & {
    readonly costNanos: string;
  };
  return { ...head, costNanos: BigInt(head.costNanos), body: text.subarray(bodyAt) };
}

const bound = (tenantId: string, id: Buffer): Buffer => Buffer.concat([Buffer.from(`${tenantId}\n`), id]);
