import type { LedgerOutcome } from '@app/billing';
import { CodedError, type Principal, type ProviderConfig } from '@app/platform';
import type { RecordingSink } from '../answer/recording-sink';
import type { Bill, Ending } from '../money/bill';
import type { Credential } from '../provider/credential';
import type { Line } from '../provider/line';
import type { UpstreamRequest } from '../provider/passage';
import type { RequestFacts } from '../request/request-facts';
import type { Candidate, Plan } from '../route/router';
import { withoutKey, type AnswerHead } from '../usage/answer-head';
import { newSpanId, newTraceId, writeTraceParent, type TraceParent } from './trace-context';
import type { TracedApi } from './traced-api';

/** One attempt to have a call answered. Times are monotonic ms. */
export interface AttemptNotes {
  readonly candidate: Candidate;
  readonly spanId: string;
  readonly startMs: number;
  /** 0 while it lasts. */
  endMs: number;
  /** Where it was sent; null if it was not. */
  provider: ProviderConfig | null;
  path: string;
  /** Of the provider's answer; 0 for none. */
  status: number;
  error: Error | null;
}

/** What a call was settled at. */
export interface SettledNotes {
  readonly bill: Bill;
  readonly outcome: LedgerOutcome;
  readonly stopReason: string | null;
  readonly head: AnswerHead | null;
  readonly providerRequestId: string | null;
  readonly clampedTo: number | null;
}

/** What a call ended with that has no part in its bill. */
type Concluded = Pick<SettledNotes, 'outcome'> & Partial<Pick<Ending, 'stopReason' | 'head'>>;

/** The request that a call answers. */
export interface Asking {
  readonly id: string;
  readonly api: TracedApi;
  readonly userAgent: string | undefined;
}

/** Who makes something of a call once it is over. */
export interface TraceReader {
  ended(call: CallTrace): void;
}

/**
 * Notes what becomes of one call while it runs; what is made of it is decided when it is over, behind the answer. It exists only
 * while telemetry is on, and talks to nobody until then.
 */
export class CallTrace {
  readonly startMs = performance.now();
  readonly startedAt = Date.now();
  endMs = 0;
  readonly traceId: string;
  /** Of the request to us, and of the work that we have done for it. */
  readonly serverSpanId = newSpanId();
  readonly callSpanId = newSpanId();
  plan: Plan | null = null;
  facts: RequestFacts | null = null;
  /** Whom it was meant for, where nobody was asked. */
  first: ProviderConfig | undefined;
  plannedMs = 0;
  /** When budget was held; 0 if it was not. */
  admittedMs = 0;
  readonly attempts: AttemptNotes[] = [];
  settled: SettledNotes | null = null;
  /** Answered with what was kept of another call. */
  isCached = false;
  /** What the client was answered with; 0 for nothing. */
  status = 0;
  /** When the first piece of a stream was passed on; 0 for never. */
  firstChunkMs = 0;
  /** Why it ended before its time, or was refused. */
  error: string | null = null;
  /** The request as it was routed; only where contents are wanted. */
  asked: Buffer | null = null;
  /** The answer as the client got it; likewise. */
  recorded: RecordingSink | null = null;

  constructor(
    readonly principal: Principal,
    readonly asking: Asking,
    readonly parent: TraceParent | null,
    readonly isSampled: boolean,
    private readonly reader: TraceReader,
    /** Of an answer, to be kept until the end of the call; 0 where contents are not wanted. */
    readonly mostContentBytes: number,
  ) {
    this.traceId = parent?.traceId ?? newTraceId();
  }

  /** @param first of the plan's candidates, its provider; undefined if that is not configured */
  planned(facts: RequestFacts, plan: Plan, body: Buffer, first: ProviderConfig | undefined): void {
    this.facts = facts;
    this.plan = plan;
    this.first = first;
    this.plannedMs = performance.now();
    if (this.mostContentBytes > 0) this.asked = body;
  }

  /** Whether what is asked and answered stands in its span. */
  get tellsContent(): boolean {
    return this.mostContentBytes > 0;
  }

  /** Budget is held. */
  admitted(): void {
    this.admittedMs = performance.now();
  }

  /** A candidate is about to be asked, as soon as its provider has room. */
  trying(candidate: Candidate): void {
    this.attempts.push({
      candidate,
      spanId: newSpanId(),
      startMs: performance.now(),
      endMs: 0,
      provider: null,
      path: '',
      status: 0,
      error: null,
    });
  }

  /** The attempt is sent. Only a server of the company's own is told of the trace: others would learn its ids. */
  sent(line: Line, { headers, path, model }: UpstreamRequest): void {
    const attempt = this.attempts.at(-1);
    if (!attempt) return;
    const { provider } = line;
    attempt.provider = provider;
    attempt.path = line.pathOf(path, model);
    if (!provider.internal) return;
    headers['traceparent'] = writeTraceParent(this.traceId, attempt.spanId, this.isSampled);
    if (this.parent?.state) headers['tracestate'] = this.parent.state;
  }

  /** The attempt is over. Does nothing a second time. @param status 0 for no answer */
  tried(status: number, error: Error | null): void {
    const attempt = this.attempts.at(-1);
    if (!attempt || attempt.endMs !== 0) return;
    attempt.endMs = performance.now();
    attempt.status = status;
    attempt.error = error;
  }

  /**
   * @param providerRequestId as it may be told
   * @param clampedTo output limit in tokens, if it was lowered
   * @param key of the provider, which nothing that is told repeats
   */
  concluded(
    bill: Bill,
    { outcome, stopReason = null, head = null }: Concluded,
    providerRequestId: string | null,
    clampedTo: number | null,
    key?: Credential | null,
  ): void {
    const told = withoutKey(head, key);
    this.settled = { bill, outcome, stopReason, head: told, providerRequestId, clampedTo };
  }

  /** The answer was an error of ours, before or after it had begun. */
  failed(error: unknown): void {
    const coded = error instanceof CodedError ? error : null;
    this.error ??= coded?.code ?? 'internal_error';
    if (this.status === 0) this.status = coded?.entry.status ?? 500;
  }

  end(): void {
    this.endMs = performance.now();
    this.tried(0, null);
    this.reader.ended(this);
  }
}
