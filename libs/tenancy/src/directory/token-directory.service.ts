import { Inject, Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { ChangeFeed, Clock, LOG, type Log } from '@app/platform';
import { endsAtMs, knownToken, whyEnded, type EndReason, type KnownToken, type TokenFacts } from './known-token';
import { Recent } from './recent';
import { TokenLookup } from './token-lookup.service';

const KNOWN_TOKENS = 50_000;
const UNKNOWN_TOKENS = 20_000;
const ENDED_TOKENS = 20_000;
/** Remembered changes; beyond them every reading under way counts as outdated. */
const HEARD_CHANGES = 1_000;
/** How late an expiry may be noticed by a stream that is already open. New requests notice it at once. */
const SWEEP_MS = 250;
const RETRY_MS = 250;

/** Hears of tokens that stop working. */
export interface TokenUser {
  /** Whether something of this token is still open; what is in use is not forgotten, so its end will be heard of. */
  uses(tokenId: string): boolean;
  /** The token worked and does not any more. Called once, within a second of the change in whichever process. */
  ended(token: KnownToken, reason: EndReason): void;
}

interface Entry {
  facts: TokenFacts;
  token: KnownToken;
  endsAtMs: number;
  /** Changed in the database and not read again yet: good for naming streams to cut, not for letting anybody in. */
  stale: boolean;
  /** Whether it lets requests in; falls once, and then its users are told. */
  open: boolean;
}

/**
 * Which token is whose, in memory. A hit is synchronous. What another process changes arrives by `ChangeFeed`, at the
 * latest when the feed compares its counters (half a second). While PostgreSQL is away the feed hears nothing: tokens known
 * here go on working and may have been revoked elsewhere meanwhile; unknown ones are answered `database_unavailable`.
 */
@Injectable()
export class TokenDirectory implements OnModuleInit, OnModuleDestroy {
  readonly #users = new Set<TokenUser>();
  readonly #known = new Recent<Entry>(KNOWN_TOKENS, (entry) => this.inUse(entry));
  /** Hashes that are no token's. Kept apart, so that made-up tokens cannot push good ones out. */
  readonly #unknown = new Recent<string>(UNKNOWN_TOKENS);
  /** Ids of tokens that ended lately, for requests that were let in before. */
  readonly #ended = new Recent<true>(ENDED_TOKENS);
  readonly #loading = new Map<string, Promise<KnownToken | undefined>>();
  /** The number of the change last heard of for a token or a tenant. */
  readonly #heard = new Map<string, number>();
  #changes = 0;
  #lastReset = 0;
  /** Ids of tokens and tenants to read again. */
  #changed = new Set<string>();
  #anythingChanged = false;
  #rechecking = false;
  #nextEndMs = Infinity;
  #sweeper: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(
    private readonly lookup: TokenLookup,
    private readonly feed: ChangeFeed,
    private readonly clock: Clock,
    @Inject(LOG) private readonly log: Log,
  ) {}

  onModuleInit(): void {
    const listener = { changed: (id: string) => this.heardOf(id), reset: () => this.heardOfAnything() };
    this.feed.on('token', listener);
    this.feed.on('tenant', listener);
    this.#sweeper = setInterval(() => this.endExpired(), SWEEP_MS).unref();
  }

  onModuleDestroy(): void {
    this.#stopped = true;
    if (this.#sweeper) clearInterval(this.#sweeper);
  }

  /**
   * The token with this hash, if the tenant it claims has it and it neither expired nor was revoked. A suspended tenant's
   * token is found and says so.
   *
   * @param hash `tokenHash` of the text: hex
   * @throws CodedError `database_unavailable`, as a rejection, when it must be read and cannot be
   */
  find(tenantId: string, hash: string): KnownToken | undefined | Promise<KnownToken | undefined> {
    const entry = this.#known.get(hash);
    if (entry !== undefined && !entry.stale) {
      if (entry.endsAtMs !== Infinity && entry.endsAtMs <= this.clock.nowMs()) return undefined;
      return entry.token.tenantId === tenantId ? entry.token : undefined;
    }
    if (entry === undefined && this.#unknown.get(hash) === tenantId) return undefined;
    const claim = `${tenantId} ${hash}`;
    let loading = this.#loading.get(claim);
    if (loading === undefined) {
      loading = this.load(tenantId, hash).finally(() => this.#loading.delete(claim));
      this.#loading.set(claim, loading);
    }
    return loading;
  }

  /**
   * Whether a token that let a request in has ended since. Reading a body takes time: whoever opens something that `ended`
   * could cut asks this once it can be found by `uses`.
   */
  hasEnded(tokenId: string): boolean {
    return this.#ended.get(tokenId) === true;
  }

  /** Registers somebody who must hear when a token stops working, to cut what it has open. */
  onEnded(user: TokenUser): void {
    this.#users.add(user);
  }

  private async load(tenantId: string, hash: string): Promise<KnownToken | undefined> {
    for (;;) {
      const start = this.#changes;
      const facts = await this.lookup.byHash(tenantId, hash);
      if (facts !== undefined) {
        if (this.changedSince(start, facts)) continue;
        return this.keep(facts);
      }
      const known = this.#known.get(hash);
      if (known?.token.tenantId === tenantId) this.drop(known, 'token_revoked');
      else if (this.#changes === start) this.#unknown.set(hash, tenantId);
      return undefined;
    }
  }

  /** Whether a change was heard of while something was being read: then what was read may be older than the change. */
  private changedSince(start: number, { tokenId, tenantId }: TokenFacts): boolean {
    return Math.max(this.#lastReset, this.#heard.get(tokenId) ?? 0, this.#heard.get(tenantId) ?? 0) > start;
  }

  /** Takes in what the database says now; tells the users if that ends the token. */
  private keep(facts: TokenFacts): KnownToken | undefined {
    const known = this.#known.get(facts.hash);
    const reason = whyEnded(facts, this.clock.nowMs());
    if (facts.tenantStatus === 'deleted' || (reason !== null && reason !== 'tenant_suspended')) {
      if (known !== undefined) this.drop(known, reason ?? 'tenant_deleted');
      this.#unknown.set(facts.hash, facts.tenantId);
      return undefined;
    }
    if (reason !== null && known?.open) this.end(known, reason);
    if (reason === null) this.#ended.delete(facts.tokenId);
    const token = knownToken(facts, facts.tenantStatus);
    const entry = { facts, token, endsAtMs: endsAtMs(facts), stale: false, open: reason === null };
    if (known === undefined) this.#known.set(facts.hash, entry);
    else Object.assign(known, entry);
    this.#nextEndMs = Math.min(this.#nextEndMs, entry.endsAtMs);
    return token;
  }

  private drop(entry: Entry, reason: EndReason): void {
    if (entry.open) this.end(entry, reason);
    this.#known.delete(entry.facts.hash);
  }

  private end(entry: Entry, reason: EndReason): void {
    entry.open = false;
    this.#ended.set(entry.token.tokenId, true);
    for (const user of this.#users) {
      try {
        user.ended(entry.token, reason);
      } catch (error) {
        this.log.error({ err: error, tokenId: entry.token.tokenId }, 'what an ended token had open could not be cut');
      }
    }
  }

  private inUse({ token, open }: Entry): boolean {
    if (open) for (const user of this.#users) if (user.uses(token.tokenId)) return true;
    return false;
  }

  private endExpired(): void {
    const nowMs = this.clock.nowMs();
    if (nowMs < this.#nextEndMs) return;
    this.#nextEndMs = Infinity;
    for (const entry of [...this.#known.values()]) {
      if (entry.endsAtMs <= nowMs) {
        this.drop(entry, whyEnded(entry.facts, nowMs) ?? 'token_expired');
      } else this.#nextEndMs = Math.min(this.#nextEndMs, entry.endsAtMs);
    }
  }

  private heardOf(id: string): void {
    this.#heard.set(id, ++this.#changes);
    if (this.#heard.size > HEARD_CHANGES) {
      this.#heard.clear();
      this.#lastReset = this.#changes;
    }
    this.#unknown.clear();
    this.#changed.add(id);
    void this.recheck();
  }

  private heardOfAnything(): void {
    this.#lastReset = ++this.#changes;
    this.#unknown.clear();
    this.#anythingChanged = true;
    void this.recheck();
  }

  /** Reads again what changed, until there is nothing left; one reading at a time takes all changes heard meanwhile. */
  private async recheck(): Promise<void> {
    if (this.#rechecking) return;
    this.#rechecking = true;
    while (!this.#stopped && (this.#anythingChanged || this.#changed.size > 0)) {
      // Lets the other notifications of a burst arrive, so that they cost one pass over the entries together.
      await new Promise((resolve) => setImmediate(resolve));
      const [ids, everything] = [this.#changed, this.#anythingChanged];
      this.#changed = new Set();
      this.#anythingChanged = false;
      try {
        await this.readAgain(this.affected(ids, everything));
      } catch (error) {
        this.log.warn({ err: error }, 'changed tokens could not be read again; trying again');
        for (const id of ids) this.#changed.add(id);
        this.#anythingChanged ||= everything;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS).unref());
      }
    }
    this.#rechecking = false;
  }

  private affected(ids: ReadonlySet<string>, everything: boolean): Entry[] {
    const affected: Entry[] = [];
    for (const entry of this.#known.values()) {
      const named = ids.has(entry.token.tokenId) || ids.has(entry.token.tenantId);
      // A lost notification is a reason to look again, not yet a reason to doubt every token.
      if (named) entry.stale = true;
      if (named || everything) affected.push(entry);
    }
    return affected;
  }

  private async readAgain(entries: readonly Entry[]): Promise<void> {
    if (entries.length === 0) return;
    const gone = new Map(entries.map((entry) => [entry.token.tokenId, entry]));
    const start = this.#changes;
    for (const facts of await this.lookup.byIds([...gone.keys()])) {
      gone.delete(facts.tokenId);
      if (!this.changedSince(start, facts)) this.keep(facts);
      // Not always heard of by name: after too many changes any may have been this one's.
      else this.#changed.add(facts.tokenId);
    }
    for (const entry of gone.values()) this.drop(entry, 'token_revoked');
  }
}
