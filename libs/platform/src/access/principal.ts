import type { Permission } from './permissions';

export type PrincipalKind = 'admin' | 'tenant' | 'job';

/** Where a call came from; it goes into audit records as it is. */
export interface Origin {
  /** `api`, `cli`, `swagger`, a channel's name, or `job`. */
  readonly via: string;
  readonly ip: string | null;
  readonly requestId: string | null;
}

export interface PrincipalFields {
  readonly kind: PrincipalKind;
  /** Admin key name, token id, or the job's reason. */
  readonly id: string;
  readonly permissions: ReadonlySet<Permission>;
  readonly origin: Origin;
  readonly tenantId?: string | undefined;
  /** Of a token that came of rotations, the id of the first of their line; budgets count them as one. */
  readonly lineage?: string | undefined;
  /** The token's label, for ledger rows and reports. */
  readonly label?: string | undefined;
  /** Patterns of the models this token may use; `null` means all that its tenant may use. */
  readonly allowedModels?: readonly string[] | null | undefined;
  /** Whether its tenant would rather have a shorter answer than a refusal where its budget does not cover the full one. */
  readonly clampsOutput?: boolean | undefined;
  /** Whether its tenant's calls are kept in the prompt log, where there is one. */
  readonly keepsPrompts?: boolean | undefined;
  /** For how long its tenant has answers kept; 0 for not at all. */
  readonly cacheSeconds?: number | undefined;
  /** The person behind the call, where single sign-on told us. */
  readonly subject?: string | undefined;
}

/**
 * Who is calling, already verified. Holding one is the ticket that opens a transaction, so only `libs/auth` may mint it;
 * a lint rule refuses `Principal.mint` anywhere else.
 */
export class Principal {
  readonly kind: PrincipalKind;
  readonly id: string;
  readonly permissions: ReadonlySet<Permission>;
  readonly origin: Origin;
  readonly tenantId: string | null;
  /** Its own id, if nothing else. */
  readonly lineage: string;
  readonly label: string | null;
  readonly allowedModels: readonly string[] | null;
  readonly clampsOutput: boolean;
  readonly keepsPrompts: boolean;
  readonly cacheSeconds: number;
  readonly subject: string | null;
  /** Makes the type nominal: an object literal of the same shape is not a Principal. */
  readonly #verified = true;

  private constructor(fields: PrincipalFields) {
    this.kind = fields.kind;
    this.id = fields.id;
    this.permissions = fields.permissions;
    this.origin = fields.origin;
    this.tenantId = fields.tenantId ?? null;
    this.lineage = fields.lineage ?? fields.id;
    this.label = fields.label ?? null;
    this.allowedModels = fields.allowedModels ?? null;
    this.clampsOutput = fields.clampsOutput ?? false;
    this.keepsPrompts = fields.keepsPrompts ?? false;
    this.cacheSeconds = fields.cacheSeconds ?? 0;
    this.subject = fields.subject ?? null;
  }

  static mint(fields: PrincipalFields): Principal {
    return new Principal(fields);
  }

  /** False for look-alikes that were cast to the type. */
  static isGenuine(value: unknown): value is Principal {
    return typeof value === 'object' && value !== null && #verified in value;
  }

  may(permission: Permission): boolean {
    return this.permissions.has(permission);
  }
}

/** Mints principals for work that no request asked for (recovery, settlement, seeding). Implemented by `auth`. */
export abstract class JobPrincipals {
  /** @param reason short and stable: it appears in audit records as the actor's id. */
  abstract for(reason: string, tenantId?: string): Principal;
}
