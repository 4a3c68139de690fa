import { CACHED, NO_USAGE } from '@app/billing';
import type { Principal } from '@app/platform';
import type { AnswerSink } from '../answer/answer-sink';
import { RecordingSink } from '../answer/recording-sink';
import type { CallSummary } from '../call-metrics';
import { headersToClient } from '../headers';
import type { Admission, Asked } from '../money/admission.service';
import type { Bill } from '../money/bill';
import { SettledEntry } from '../money/ledger-sink';
import type { AnswerKey } from './answer-key';
import type { AnswerStore } from './answer-store.service';
import type { CacheMetrics } from './cache-metrics';
import { Flight, type Flights, type Waiting } from './flights';
import { keepable, type Answered } from './keepable';
import { openAnswer, sealAnswer, type KeptAnswer } from './kept-answer';

/** Tells a caller whether its answer was kept or bought; missing where neither is possible. */
const CACHE_HEADER = 'x-openclawmu-cache';

/** A call that may be answered without asking anybody. */
interface Answerable extends Waiting {
  readonly cutBy: Error | null;
  outcome: CallSummary['outcome'];
}

/** What all calls share. */
export interface CacheMeans {
  readonly store: AnswerStore;
  readonly admission: Admission;
  readonly metrics: CacheMetrics;
  readonly flights: Flights;
}

/** What a call is to the cache. */
export interface CacheTerms {
  readonly principal: Principal;
  readonly asked: Asked;
  readonly key: AnswerKey;
  /** Whether a kept answer will do. */
  readonly mayRead: boolean;
  /** For how long an answer is kept. */
  readonly seconds: number;
  readonly maxAnswerBytes: number;
  readonly maxTenantBytes: number;
}

interface Found {
  readonly kept: KeptAnswer;
  readonly ageSeconds: number;
}

/** One call of a tenant that has answers kept: it is answered with what is kept, or its answer is gathered on its way to be kept. */
export class CachedCall extends RecordingSink {
  /** Of the calls that wait for this one's answer; null if none may. */
  #flight: Flight | null = null;

  constructor(
    private readonly means: CacheMeans,
    private readonly terms: CacheTerms,
    private readonly client: AnswerSink,
  ) {
    super(client, terms.maxAnswerBytes);
  }

  /**
   * Answers with what is kept, or about to be, if anything is. The call has its row all the same, settled before its last byte like
   * any other. One that is not answered ends with `conclude`, for others may wait for it.
   * @throws CodedError those of `Holds.reserve`
   */
  async answer(call: Answerable): Promise<boolean> {
    const found = (this.terms.mayRead ? await this.find() : null) ?? (await this.join(call));
    this.means.metrics.count(found === null ? 'miss' : 'hit');
    // Whoever was cut meanwhile is told so in the usual way.
    if (found === null || call.cutBy) return false;
    const { kept, ageSeconds } = found;
    call.outcome = 'cached';
    await this.settle(kept);
    const headers = headersToClient({}, this.terms.asked.request.id);
    Object.assign(headers, kept.headers, { [CACHE_HEADER]: 'hit', age: String(ageSeconds) });
    if (kept.isStream) {
      this.client.start(200, headers);
      this.client.write(kept.body, ignore);
      this.client.end();
    } else this.client.whole(200, headers, kept.body);
    return true;
  }

  /** Keeps the answer that was handed over, if it may be given again, and lets go those that wait for it. */
  conclude(answered: Answered | null): void {
    const flight = this.#flight;
    this.#flight = null;
    const kept = keepable(this, answered);
    if (kept !== null) {
      const stored = this.store(kept);
      flight?.land(kept, stored);
    } else if (answered !== null) flight?.scatter();
    else flight?.fail();
  }

  override whole(status: number, headers: Record<string, string>, body: Buffer): void {
    headers[CACHE_HEADER] = 'miss';
    super.whole(status, headers, body);
  }

  override start(status: number, headers: Record<string, string>): void {
    headers[CACHE_HEADER] = 'miss';
    super.start(status, headers);
  }

  private store(kept: KeptAnswer): Promise<void> {
    const { principal, key, seconds, maxTenantBytes } = this.terms;
    const seal = (): Buffer => sealAnswer(key, principal.tenantId as string, kept);
    return this.means.store.keep(principal, { id: key.id, seconds, maxTenantBytes, bytes: this.bytes, seal });
  }

  /** What a call that asks the same is answered with; null for one that asks for itself, and leads from now on if nobody else does. */
  private async join(call: Answerable): Promise<Found | null> {
    const { flights } = this.means;
    const id = this.terms.key.id.toString('latin1');
    if (call.cutBy) return null;
    const landing = this.terms.mayRead ? await flights.join(id, call) : flights.lead(id);
    if (landing !== null && !(landing instanceof Flight)) return { kept: landing, ageSeconds: 0 };
    this.#flight = landing;
    return null;
  }

  private async find(): Promise<Found | null> {
    const { principal, key, seconds } = this.terms;
    const found = await this.means.store.find(principal, key.id, seconds);
    if (found === null) return null;
    try {
      return { kept: openAnswer(key, principal.tenantId as string, found.answer), ageSeconds: found.ageSeconds };
    } catch {
      // Somebody has altered it. It is bought anew, which replaces it.
      this.means.metrics.count('failed');
      return null;
    }
  }

  private async settle(kept: KeptAnswer): Promise<void> {
    const { principal, asked } = this.terms;
    const { candidates } = asked.plan;
    const by = candidates.find(({ model, provider }) => model.id === kept.model && provider === kept.provider);
    const hold = await this.means.admission.admitFree(principal, asked, by ?? candidates[0]);
    await hold.settle({ costNanos: 0n, tokens: 0, row: new SettledEntry(hold, free(kept), 'completed', null) });
  }
}

const free = ({ costNanos: savedNanos }: KeptAnswer): Bill => ({
  ...{ status: 'actual', reason: CACHED, costNanos: 0n, tokens: 0, savedNanos },
  ...NO_USAGE,
});

const ignore = (): void => undefined;
