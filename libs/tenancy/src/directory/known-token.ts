import type { TenantRole } from '@app/platform';
import { commonPatterns } from '../model-patterns';

/** A token as the gateway knows it while requests run: enough to tell who is calling, and until when. */
export interface KnownToken {
  readonly tokenId: string;
  /** The id of the first token of its line of rotations; its own if it replaced none. */
  readonly lineage: string;
  readonly tenantId: string;
  readonly label: string;
  readonly role: TenantRole;
  /** Patterns of the models that both the token and its tenant allow; `null` allows all of the catalogue. */
  readonly allowedModels: readonly string[] | null;
  /** The tenant's choice: a shorter answer rather than a refusal. */
  readonly clampsOutput: boolean;
  /** Whether an administrator wants its calls in the prompt log. */
  readonly keepsPrompts: boolean;
  /** The tenant's choice: for how long answers are kept, 0 for not at all. */
  readonly cacheSeconds: number;
  /** When it stops working: its expiry or, if that is sooner, its revocation (a rotated token's grace). */
  readonly expiresAt: Date | null;
  readonly tenantStatus: TenantStanding;
}

/** A deleted tenant's tokens are not known at all. */
export type TenantStanding = 'active' | 'suspended';

/** Why a token that worked does not work any more. */
export type EndReason = 'token_revoked' | 'token_expired' | 'tenant_suspended' | 'tenant_deleted';

/** A token's row together with its tenant's. */
export interface TokenFacts {
  readonly tokenId: string;
  readonly lineage: string;
  readonly tenantId: string;
  readonly hash: string;
  readonly label: string;
  readonly role: TenantRole;
  readonly tokenModels: readonly string[] | null;
  readonly tenantModels: readonly string[] | null;
  readonly clampsOutput: boolean;
  readonly keepsPrompts: boolean;
  readonly cacheSeconds: number;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  readonly tenantStatus: TenantStanding | 'deleted';
}

/** Why these facts do not let a request in at this moment, or `null` if they do. */
export function whyEnded(facts: TokenFacts, nowMs: number): EndReason | null {
  if (facts.tenantStatus === 'deleted') return 'tenant_deleted';
  if (facts.revokedAt !== null && facts.revokedAt.getTime() <= nowMs) return 'token_revoked';
  if (facts.expiresAt !== null && facts.expiresAt.getTime() <= nowMs) return 'token_expired';
  if (facts.tenantStatus === 'suspended') return 'tenant_suspended';
  return null;
}

/** The sooner of expiry and revocation in epoch milliseconds; `Infinity` if it has neither. */
export const endsAtMs = ({ expiresAt, revokedAt }: TokenFacts): number =>
  Math.min(expiresAt?.getTime() ?? Infinity, revokedAt?.getTime() ?? Infinity);

export function knownToken(facts: TokenFacts, tenantStatus: TenantStanding): KnownToken {
  const end = endsAtMs(facts);
  return {
    tokenId: facts.tokenId,
    lineage: facts.lineage,
    tenantId: facts.tenantId,
    label: facts.label,
    role: facts.role,
    allowedModels: commonPatterns(facts.tokenModels, facts.tenantModels),
    clampsOutput: facts.clampsOutput,
    keepsPrompts: facts.keepsPrompts,
    cacheSeconds: facts.cacheSeconds,
    expiresAt: end === Infinity ? null : new Date(end),
    tenantStatus,
  };
}
