import { CACHED, NO_USAGE } from '@app/billing';
import type { Principal } from '@app/platform';
import type { Admission, Asked } from '../admission.service';
import type { AnswerSink } from '../answer-sink';
import type { Bill } from '../bill';
import type { CallSummary } from '../call-metrics';
import { headersToClient } from '../headers';
import { SettledEntry } from '../ledger-sink';
import { RecordingSink } from '../recording-sink';
import type { AnswerKey } from './answer-key';
import type { AnswerStore } from './answer-store.service';
import type { CacheMetrics } from './cache-metrics';
import { keepable, type Answered } from './keepable';
import { openAnswer, sealAnswer, type KeptAnswer } from './kept-answer';

/** Tells a caller whether its answer was kept or bought; missing where neither is possible. */
const CACHE_HEADER = 'x-openclawmu-cache';

/** A call that may be answered without asking anybody. */
interface Answerable {
  readonly isCut: boolean;
  outcome: CallSummary['outcome'];
}

/** What all calls share. */
export interface CacheMeans {
  readonly store: AnswerStore;
  readonly admission: Admission;
  readonly metrics: CacheMetrics;
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

/** One call of a tenant that has answers kept: it is answered with what is kept, or its answer is gathered on its way to be kept. */
export class CachedCall extends RecordingSink {
  constructor(
    private readonly means: CacheMeans,
    private readonly terms: CacheTerms,
    private readonly client: AnswerSink,
  ) {
    super(client, terms.maxAnswerBytes);
  }

  /**
   * Answers with what is kept, if anything is. The call has its row all the same, settled before its last byte like any other.
   * @throws CodedError those of `Holds.reserve`
   */
  async answer(call: Answerable): Promise<boolean> {
    const found = this.terms.mayRead ? await this.find() : null;
    this.means.metrics.count(found === null ? 'miss' : 'hit');
    // Whoever was cut meanwhile is told so in the usual way.
    if (found === null || call.isCut) return false;
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

  /** Keeps the answer that was handed over, if it may be given again. */
  keep(answered: Answered | null): void {
    const kept = keepable(this, answered);
    if (kept === null) return;
    const { principal, key, seconds, maxTenantBytes } = this.terms;
    const seal = (): Buffer => sealAnswer(key, principal.tenantId as string, kept);
    this.means.store.keep(principal, { id: key.id, seconds, maxTenantBytes, bytes: this.bytes, seal });
  }

  override whole(status: number, headers: Record<string, string>, body: Buffer): void {
    headers[CACHE_HEADER] = 'miss';
    super.whole(status, headers, body);
  }

  override start(status: number, headers: Record<string, string>): void {
    headers[CACHE_HEADER] = 'miss';
    super.start(status, headers);
  }

  private async find(): Promise<{ readonly kept: KeptAnswer; readonly ageSeconds: number } | null> {
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
