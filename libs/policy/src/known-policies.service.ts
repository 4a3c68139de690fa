import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { ChangeFeed, Database, JobPrincipals, LOG, type Log } from '@app/platform';
import { ActivePolicy, together } from './active-policy';
import type { PolicyContent } from './rule';
import { readPolicies } from './tenant-policies.queries';

const RETRY_MS = 250;

/** The policies of all tenants in memory, so that a request asks nobody. */
@Injectable()
export class KnownPolicies implements OnModuleInit, OnApplicationShutdown {
  /** Of each tenant that has one; made ready when it is first needed. */
  #own = new Map<string, PolicyContent | ActivePolicy>();
  /** Of all tenants, and of those that have none of their own. */
  #all: PolicyContent | undefined;
  #common: ActivePolicy | undefined;
  #stale = false;
  #reading = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly database: Database,
    private readonly jobs: JobPrincipals,
    private readonly changes: ChangeFeed,
    @Inject(LOG) private readonly log: Log,
  ) {}

  /** @throws CodedError `database_unavailable`: without policies nobody may be let in */
  async onModuleInit(): Promise<void> {
    const again = (): void => {
      this.#stale = true;
      void this.refresh();
    };
    this.changes.on('policy', { changed: again, reset: again });
    await this.read();
  }

  onApplicationShutdown(): void {
    if (this.#timer) clearTimeout(this.#timer);
  }

  /** `undefined` for a tenant for which none holds. */
  of(tenantId: string): ActivePolicy | undefined {
    const own = this.#own.get(tenantId);
    if (own === undefined || own instanceof ActivePolicy) return own ?? this.#common;
    const active = new ActivePolicy(this.#all ? together(this.#all, own) : own);
    this.#own.set(tenantId, active);
    return active;
  }

  private async refresh(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    try {
      while (this.#stale) {
        this.#stale = false;
        await this.read();
      }
    } catch (error) {
      this.#stale = true;
      this.log.warn({ err: error }, 'changed policies could not be read yet');
      this.#timer = setTimeout(() => void this.refresh(), RETRY_MS).unref();
    }
    this.#reading = false;
  }

  private async read(): Promise<void> {
    const rows = await this.database.platform(this.jobs.for('policies'), readPolicies);
    const all = rows.find(({ tenantId }) => tenantId === null)?.content;
    this.#common = all && new ActivePolicy(all);
    this.#all = all;
    this.#own = new Map(rows.flatMap(({ tenantId, content }) => (tenantId === null ? [] : [[tenantId, content]])));
  }
}
