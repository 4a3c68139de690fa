import type { TokenStatus, TokenView } from './token.dto';
import type { TokenRow } from './token.entity';

export function tokenStatus(
  { revokedAt, expiresAt }: Pick<TokenRow, 'revokedAt' | 'expiresAt'>,
  now: Date,
): TokenStatus {
  if (revokedAt !== null && revokedAt <= now) return 'revoked';
  return expiresAt !== null && expiresAt <= now ? 'expired' : 'active';
}

export const tokenView = (row: TokenRow, now: Date): TokenView => ({
  id: row.id,
  tenantId: row.tenantId,
  label: row.label,
  role: row.role,
  hint: row.hint,
  status: tokenStatus(row, now),
  allowedModels: row.allowedModels,
  expiresAt: row.expiresAt?.toISOString() ?? null,
  createdAt: row.createdAt.toISOString(),
  createdBy: row.createdBy,
  replaces: row.replaces,
  lineage: row.lineage ?? row.id,
  revokedAt: row.revokedAt?.toISOString() ?? null,
});
