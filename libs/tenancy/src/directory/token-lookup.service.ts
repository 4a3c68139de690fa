import { Injectable } from '@nestjs/common';
import { CodedError, Database, JobPrincipals, type Tx } from '@app/platform';
import type { TokenFacts } from './known-token';

/** Pairs asked for in one statement. */
const BATCH = 500;
/** A database that neither answers nor refuses (its machine is gone) must not keep requests waiting. */
const PATIENCE_MS = 5_000;

const FACTS = `
  SELECT t.id AS "tokenId", coalesce(t.lineage, t.id) AS lineage, t.tenant_id AS "tenantId", encode(t.hash, 'hex') AS hash, t.label, t.role,
         t.allowed_models AS "tokenModels", d.allowed_models AS "tenantModels",
         coalesce((d.settings->'clampOutput')::boolean, false) AS "clampsOutput",
         d.prompt_log AS "keepsPrompts",
         coalesce((d.settings->'cacheSeconds')::integer, 0) AS "cacheSeconds",
         t.expires_at AS "expiresAt", t.revoked_at AS "revokedAt", d.status AS "tenantStatus"
  FROM tokens t JOIN tenants d ON d.id = t.tenant_id`;

interface Waiting {
  readonly tenantId: string;
  readonly hash: string;
  readonly resolve: (facts: TokenFacts | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Reads tokens for the directory. One statement at a time asks for all that wait, so a flood of made-up tokens, of made-up
 * tenants too, costs the database one small statement after the other and never its connections. That is why this reads as
 * the platform and not as each claimed tenant: tenant and hash must both match, here and in `byHash`.
 */
@Injectable()
export class TokenLookup {
  #waiting: Waiting[] = [];
  #asking = false;

  constructor(
    private readonly db: Database,
    private readonly jobs: JobPrincipals,
  ) {}

  /** @throws CodedError `database_unavailable` */
  async byHash(tenantId: string, hash: string): Promise<TokenFacts | undefined> {
    const facts = await new Promise<TokenFacts | undefined>((resolve, reject) => {
      this.#waiting.push({ tenantId, hash, resolve, reject });
      if (!this.#asking) void this.askForAll();
    });
    return facts?.tenantId === tenantId && facts.hash === hash ? facts : undefined;
  }

  /** @throws CodedError `database_unavailable` */
  byIds(tokenIds: readonly string[]): Promise<TokenFacts[]> {
    return this.read((tx) => tx.query<TokenFacts>(`${FACTS} WHERE t.id = ANY($1)`, [tokenIds]));
  }

  private async askForAll(): Promise<void> {
    this.#asking = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH);
      try {
        const found = await this.byHashes(batch);
        for (const { hash, resolve } of batch) resolve(found.get(hash));
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#asking = false;
  }

  private async byHashes(batch: readonly Waiting[]): Promise<Map<string, TokenFacts>> {
    const rows = await this.read((tx) =>
      tx.query<TokenFacts>(
        `${FACTS} JOIN unnest($1::text[], $2::text[]) AS asked (tenant_id, hash)
           ON t.hash = decode(asked.hash, 'hex') AND t.tenant_id = asked.tenant_id`,
        [batch.map((asked) => asked.tenantId), batch.map((asked) => asked.hash)],
      ),
    );
    return new Map(rows.map((facts) => [facts.hash, facts]));
  }

  private async read<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new CodedError('database_unavailable')), PATIENCE_MS);
    });
    try {
      return await Promise.race([this.db.platform(this.jobs.for('authenticate'), work), tooLate]);
    } finally {
      clearTimeout(timer);
    }
  }
}
