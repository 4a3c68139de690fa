import { CodedError, type Tx } from '@app/platform';
import { TOKEN_ID } from '../words';
import { claimedTenant, tokenHash } from './token-text';
import { TokenRow } from './token.entity';

/** @throws CodedError `token_not_found`, also when it is another tenant's */
export async function findToken(tx: Tx, tenantId: string, tokenId: string): Promise<TokenRow> {
  return present(await tx.repository(TokenRow).findOneBy({ id: wellFormed(tokenId), tenantId }));
}

/** The same, locked until the transaction ends. */
export async function lockToken(tx: Tx, tenantId: string, tokenId: string): Promise<TokenRow> {
  const where = { id: wellFormed(tokenId), tenantId };
  return present(await tx.repository(TokenRow).findOne({ where, lock: { mode: 'pessimistic_write' } }));
}

/** Finds a token by its id or by itself, whosever it is. @throws CodedError `token_not_found` */
export async function lockAnyToken(tx: Tx, idOrText: string): Promise<TokenRow> {
  const where =
    claimedTenant(idOrText) === null ? { id: wellFormed(idOrText) } : { hash: Buffer.from(tokenHash(idOrText), 'hex') };
  return present(await tx.repository(TokenRow).findOne({ where, lock: { mode: 'pessimistic_write' } }));
}

/** An id that cannot be one never reaches the database, which would fail on some of them. */
function wellFormed(tokenId: string): string {
  if (!TOKEN_ID.test(tokenId)) throw new CodedError('token_not_found');
  return tokenId;
}

function present<T>(row: T | null): T {
  if (row === null) throw new CodedError('token_not_found');
  return row;
}
