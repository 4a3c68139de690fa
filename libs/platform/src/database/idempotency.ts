import { createHash, hkdfSync } from 'node:crypto';
import { decrypt, encrypt } from '../encryption';
import { CodedError } from '../errors/coded-error';
import { invalidField } from '../errors/invalid-field';
import type { Tx } from './tx';

const KEY_SHAPE = /^[\x21-\x7e]{8,255}$/;
const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * Runs `work` once per `Idempotency-Key` and caller; a repeat gets the first answer, for 24 hours. A repeat with another
 * request is refused. The remembered answer may hold a freshly made token, so it is encrypted under the caller's key, of
 * which the database sees only a hash.
 *
 * @param key the header's value, or `undefined` to run unconditionally
 * @param request what was asked, as plain data; only its hash is kept
 * @throws CodedError `validation_failed`, `idempotency_conflict`
 */
export async function once<T>(tx: Tx, key: string | undefined, request: unknown, work: () => Promise<T>): Promise<T> {
  if (key === undefined) return work();
  const first = await answered<T>(tx, key, request);
  if (first !== undefined) return first;
  const answer = await work();
  const id = idOf(tx, key);
  await tx.query(
    `INSERT INTO idempotency_keys (id, tenant_id, request_hash, answer) VALUES ($1, $2, $3, $4)
     ON CONFLICT (id) DO UPDATE SET request_hash = excluded.request_hash, answer = excluded.answer, created_at = now()`,
    [id, tx.principal.tenantId, hashOf(request), seal(key, id, answer)],
  );
  return answer;
}

/**
 * The first answer to a request, if there was one. Work of several transactions asks for it before, and remembers its own answer
 * with `once` in the last of them: it must be such that doing it twice at the same time does no harm.
 * @throws CodedError `validation_failed`, `idempotency_conflict`
 */
export async function answered<T>(tx: Tx, key: string | undefined, request: unknown): Promise<T | undefined> {
  if (key === undefined) return undefined;
  if (!KEY_SHAPE.test(key)) throw invalidField('Idempotency-Key', 'must be 8 to 255 printable characters');
  const id = idOf(tx, key);
  await tx.query('SELECT pg_advisory_xact_lock($1)', [id.readBigInt64BE()]);
  const [known] = await tx.query<{ request_hash: Buffer; answer: Buffer }>(
    "SELECT request_hash, answer FROM idempotency_keys WHERE id = $1 AND created_at > now() - interval '24 hours'",
    [id],
  );
  if (!known) return undefined;
  if (!known.request_hash.equals(hashOf(request))) throw new CodedError('idempotency_conflict');
  return open<T>(key, id, known.answer);
}

const idOf = ({ principal: { kind, tenantId, id } }: Tx, key: string): Buffer =>
  sha256(`${kind}:${tenantId ?? ''}:${id}\n${key}`);

const hashOf = (request: unknown): Buffer => sha256(JSON.stringify(request));

const cipherKey = (key: string, id: Buffer): Buffer =>
  Buffer.from(hkdfSync('sha256', key, id, 'openclawmu idempotent answer', 32));

const seal = (key: string, id: Buffer, answer: unknown): Buffer =>
  encrypt(cipherKey(key, id), '', Buffer.from(JSON.stringify(answer)));

const open = <T>(key: string, id: Buffer, sealed: Buffer): T =>
  JSON.parse(decrypt(cipherKey(key, id), '', sealed).toString('utf8')) as T;
