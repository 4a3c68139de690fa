import { Config, type Principal } from '@app/platform';
import { Injectable } from '@nestjs/common';
import type { AnswerSink } from '../answer/answer-sink';
import { Admission, type Asked } from '../money/admission.service';
import { Upstream } from '../upstream';
import { answerKey, type AnswerKey } from './answer-key';
import { AnswerStore } from './answer-store.service';
import { CacheMetrics } from './cache-metrics';
import { CachedCall, type CacheMeans } from './cached-call';
import { Flights } from './flights';
import { wishesOf } from './wishes';

/** To tell a question from all others takes a moment for each byte of it, in which nobody else is served. */
const MAX_REQUEST_BYTES = 4 * 1024 * 1024;

/** Answers that were bought before, for the tenants that have them kept, if the gateway keeps any. */
@Injectable()
export class ResponseCache {
  readonly #means: CacheMeans;

  constructor(
    store: AnswerStore,
    metrics: CacheMetrics,
    admission: Admission,
    private readonly upstream: Upstream,
    private readonly config: Config,
  ) {
    this.#means = { store, metrics, admission, flights: new Flights(() => metrics.count('joined')) };
  }

  /** What the cache does with a call on its way to `sink`; null where it has nothing to do with it. */
  open(principal: Principal, asked: Asked, sink: AnswerSink): CachedCall | null {
    const { cache } = this.config.current;
    const { request, facts } = asked;
    if (cache === undefined || request.body.length > MAX_REQUEST_BYTES) return null;
    const { read: mayRead, write } = wishesOf(request.headers, facts);
    if (!write) return null;
    const seconds = Math.min(principal.cacheSeconds, cache.maxSeconds);
    const key = this.keyOf(principal, asked);
    return new CachedCall(this.#means, { ...{ principal, asked, key, mayRead, seconds }, ...cache }, sink);
  }

  private keyOf({ tenantId }: Principal, { request, plan, card, policy }: Asked): AnswerKey {
    return answerKey({
      tenantId: tenantId as string,
      request,
      candidates: plan.candidates,
      doorOf: (name) => {
        const { dialect, baseUrl, azure, responses } = this.upstream.provider(name) ?? {};
        return JSON.stringify([dialect, baseUrl, azure, responses]);
      },
      rateCard: card.version,
      policyVersion: policy?.fingerprint ?? '',
    });
  }
}
