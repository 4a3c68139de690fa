import { Injectable } from '@nestjs/common';
import { Audit } from '@app/audit';
import {
  Clock,
  CodedError,
  Database,
  decodeCursor,
  invalidField,
  newId,
  once,
  type Page,
  pageOf,
  type Principal,
  type Tx,
} from '@app/platform';
import { findTenant, holdTenant } from '../tenants/tenants.queries';
import { TOKEN_ID } from '../words';
import { refuseMoreThanOwn } from './token-rights';
import { hintOf, newTokenText, tokenHash } from './token-text';
import { tokenStatus, tokenView } from './token-view';
import type { CreateToken, ListTokens, NewTokenView, RevocationView, RotateToken, TokenView } from './token.dto';
import { TokenRow } from './token.entity';
import { findToken, lockAnyToken, lockToken } from './tokens.queries';

/** Tenants' tokens. A tenant's principal works in its own tenant only, whatever tenant id is given. */
@Injectable()
export class TokensService {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly audit: Audit,
  ) {}

  /** @throws CodedError `tenant_not_found`, `tenant_state`, `validation_failed`, `permission_denied` */
  create(principal: Principal, tenantId: string, dto: CreateToken, idempotencyKey?: string): Promise<NewTokenView> {
    return this.open(principal, (tx) =>
      once(tx, idempotencyKey, { create: 'token', tenantId, ...dto }, async () => {
        await holdTenant(tx, tenantId);
        const rights = { role: dto.role ?? 'member', allowedModels: dto.allowedModels ?? principal.allowedModels };
        refuseMoreThanOwn(principal, rights);
        const now = this.clock.now();
        const made = newToken(principal, tenantId, now, {
          label: dto.label,
          role: rights.role,
          allowedModels: rights.allowedModels && [...rights.allowedModels],
          expiresAt: futureInstant(dto.expiresAt, now),
          replaces: null,
          lineage: null,
        });
        await tx.repository(TokenRow).insert(made.row);
        tx.announce('token', made.row.id);
        const after = tokenView(made.row, now);
        await this.audit.record(tx, { action: 'token.created', tenant: tenantId, target: targetOf(made.row), after });
        return { ...after, token: made.text };
      }),
    );
  }

  /** In the order of their creation. @throws CodedError `tenant_not_found`, `cursor_invalid` */
  list(principal: Principal, tenantId: string, { limit, cursor, status }: ListTokens): Promise<Page<TokenView>> {
    const [after] = cursor === undefined ? [''] : decodeCursor(cursor, 1);
    if (after === undefined || (after !== '' && !TOKEN_ID.test(after))) throw new CodedError('cursor_invalid');
    return this.open(principal, async (tx) => {
      await findTenant(tx, tenantId);
      const now = this.clock.now();
      const query = tx
        .repository(TokenRow)
        .createQueryBuilder('token')
        .where('token.tenantId = :tenantId AND token.id > :after', { tenantId, after })
        .orderBy('token.id')
        .take(limit + 1);
      if (status !== undefined)
        query.andWhere(
          `CASE WHEN token.revokedAt <= :now THEN 'revoked' WHEN token.expiresAt <= :now THEN 'expired' ELSE 'active' END = :status`,
          { now, status },
        );
      return pageOf(
        await query.getMany(),
        limit,
        (row) => [row.id],
        (row) => tokenView(row, now),
      );
    });
  }

  /** @throws CodedError `token_not_found` */
  show(principal: Principal, tenantId: string, tokenId: string): Promise<TokenView> {
    return this.open(principal, async (tx) => tokenView(await findToken(tx, tenantId, tokenId), this.clock.now()));
  }

  /**
   * Makes a successor with the same label and rights; the old token is revoked at once or when its grace ends.
   * @throws CodedError `token_not_found`, `token_revoked`, `tenant_state`, `validation_failed`, `permission_denied`
   */
  rotate(
    principal: Principal,
    tenantId: string,
    tokenId: string,
    dto: RotateToken,
    idempotencyKey?: string,
  ): Promise<NewTokenView> {
    return this.open(principal, (tx) =>
      once(tx, idempotencyKey, { rotate: 'token', tenantId, tokenId, ...dto }, async () => {
        await holdTenant(tx, tenantId);
        const old = await lockToken(tx, tenantId, tokenId);
        const now = this.clock.now();
        refuseEnded(old, now);
        refuseMoreThanOwn(principal, old);
        const made = newToken(principal, tenantId, now, {
          label: old.label,
          role: old.role,
          allowedModels: old.allowedModels,
          expiresAt: dto.expiresAt === undefined ? old.expiresAt : futureInstant(dto.expiresAt, now),
          replaces: old.id,
          lineage: old.lineage ?? old.id,
        });
        const revokedAt = new Date(now.getTime() + (dto.gracePeriodSeconds ?? 0) * 1000);
        await tx.repository(TokenRow).insert(made.row);
        await tx.repository(TokenRow).update({ id: old.id }, { revokedAt });
        tx.announce('token', old.id);
        tx.announce('token', made.row.id);
        const after = tokenView(made.row, now);
        await this.audit.record(tx, {
          action: 'token.rotated',
          tenant: tenantId,
          target: targetOf(old),
          before: tokenView(old, now),
          after: { old: tokenView({ ...old, revokedAt }, now), new: after },
        });
        return { ...after, token: made.text };
      }),
    );
  }

  /** Revoking a revoked token is fine and changes nothing. @throws CodedError `token_not_found` */
  revoke(principal: Principal, tenantId: string, tokenId: string): Promise<RevocationView> {
    return this.open(principal, async (tx) => this.end(tx, await lockToken(tx, tenantId, tokenId)));
  }

  /**
   * Revokes a token of any tenant, for when all that is known is what leaked.
   * @param idOrText `tok_…` or `tk_…`
   * @throws CodedError `token_not_found`
   */
  revokeAny(principal: Principal, idOrText: string): Promise<RevocationView> {
    return this.db.platform(principal, async (tx) => this.end(tx, await lockAnyToken(tx, idOrText)));
  }

  private async end(tx: Tx, row: TokenRow): Promise<RevocationView> {
    const now = this.clock.now();
    const before = tokenView(row, now);
    if (before.status === 'revoked') return { ...before, changed: false };
    await tx.repository(TokenRow).update({ id: row.id }, { revokedAt: now });
    tx.announce('token', row.id);
    const after = tokenView({ ...row, revokedAt: now }, now);
    await this.audit.record(tx, {
      action: 'token.revoked',
      tenant: row.tenantId,
      target: targetOf(row),
      before,
      after,
    });
    return { ...after, changed: true };
  }

  private open<T>(principal: Principal, work: (tx: Tx) => Promise<T>): Promise<T> {
    return principal.kind === 'tenant' ? this.db.tenant(principal, work) : this.db.platform(principal, work);
  }
}

type NewToken = Pick<TokenRow, 'label' | 'role' | 'allowedModels' | 'expiresAt' | 'replaces' | 'lineage'>;

function newToken(
  principal: Principal,
  tenantId: string,
  now: Date,
  fields: NewToken,
): { row: TokenRow; text: string } {
  const text = newTokenText(tenantId);
  const row: TokenRow = {
    ...fields,
    id: newId('tok'),
    tenantId,
    hash: Buffer.from(tokenHash(text), 'hex'),
    hint: hintOf(text),
    createdAt: now,
    createdBy: `${principal.kind === 'tenant' ? 'token' : principal.kind}:${principal.id}`,
    revokedAt: null,
  };
  return { row, text };
}

const targetOf = ({ id }: TokenRow) => ({ kind: 'token', id });

/** A token rotated before is in its grace: its successor is the one to rotate. */
function refuseEnded(token: TokenRow, now: Date): void {
  const status = tokenStatus(token, now);
  if (status !== 'active') throw new CodedError('token_revoked', `The token ${token.id} is ${status}.`);
  if (token.revokedAt !== null)
    throw new CodedError(
      'token_revoked',
      `The token ${token.id} was rotated already and ends ${token.revokedAt.toISOString()}.`,
    );
}

function futureInstant(text: string | null | undefined, now: Date): Date | null {
  if (text === null || text === undefined) return null;
  const instant = new Date(text);
  if (!(instant > now)) throw invalidField('expiresAt', 'must lie in the future');
  return instant;
}
