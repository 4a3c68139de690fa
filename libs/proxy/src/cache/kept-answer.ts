import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
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

const IV_BYTES = 12;
const TAG_BYTES = 16;
const LENGTH_BYTES = 4;

const ALGORITHM = 'aes-256-gcm';

/** Encrypted so that only whoever has the request can read it; the tenant and the id are sealed with it. */
export function sealAnswer({ id, secret }: AnswerKey, tenantId: string, { body, ...facts }: KeptAnswer): Buffer {
  const head = Buffer.from(JSON.stringify({ ...facts, costNanos: String(facts.costNanos) }));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(head.length);
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(ALGORITHM, secret, iv).setAAD(bound(tenantId, id));
  const sealed = [cipher.update(length), cipher.update(head), cipher.update(body), cipher.final()];
  return Buffer.concat([iv, cipher.getAuthTag(), ...sealed]);
}

/** @throws Error where it is not what was sealed under that key */
export function openAnswer({ id, secret }: AnswerKey, tenantId: string, sealed: Buffer): KeptAnswer {
  const textAt = IV_BYTES + TAG_BYTES;
  const decipher = createDecipheriv(ALGORITHM, secret, sealed.subarray(0, IV_BYTES))
    .setAAD(bound(tenantId, id))
    .setAuthTag(sealed.subarray(IV_BYTES, textAt));
  const text = Buffer.concat([decipher.update(sealed.subarray(textAt)), decipher.final()]);
  const bodyAt = LENGTH_BYTES + text.readUInt32BE();
  const head = JSON.parse(text.toString('utf8', LENGTH_BYTES, bodyAt)) as Omit<KeptAnswer, 'body' | 'costNanos'> & {
    readonly costNanos: string;
  };
  return { ...head, costNanos: BigInt(head.costNanos), body: text.subarray(bodyAt) };
}

const bound = (tenantId: string, id: Buffer): Buffer => Buffer.concat([Buffer.from(`${tenantId}\n`), id]);
