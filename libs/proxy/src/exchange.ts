import { Cohort, CodedError } from '@app/platform';
import type { Dispatcher } from 'undici';
import type { Cuttable } from './active-calls';
import { answerHeaders } from './answer/answer-headers';
import type { AnswerSink } from './answer/answer-sink';
import { busy, explain, unusable } from './answer/call-faults';
import { errorEvent } from './answer/error-events';
import { wholeAnswer } from './answer/provider-answer';
import { BYTES_PER_TOKEN } from './bounds/likely-input';
import type { Answered } from './cache/keepable';
import { summaryOf, type CallSummary } from './call-metrics';
import { isEventStream, providerRequestId } from './headers';
import { bill, type Ended, endingOf, NOTHING_TOLD } from './money/bill';
import type { Call, Deal, Terms } from './money/deal';
import { SettledEntry } from './money/ledger-sink';
import type { KeyGuard } from './provider/key-guard';
import type { Passage } from './provider/passage';
import type { Waiter } from './provider/turnstile';
import { asksUsageForUs, requestTo } from './request/provider-request';
import { toolsDropped } from './request/search-uses';
import { factsFor } from './request/translated-request';
import type { AnswerReader, Translation } from './request/translation';
import { Attempts, NOT_POSSIBLE, NOT_SENT, type Failure } from './route/attempts';
import { mayBeSentAgain, refusalOf } from './route/failure';
import type { Candidate } from './route/router';
import type { Upstream } from './upstream';
import { UsageReader } from './usage/usage-reader';
import { readWholeUsage, type WholeUsage } from './usage/whole-usage';

type ResponseHeaders = Record<string, string | string[] | undefined>;

export const ENDED = new Error('the call was ended');

/** The most of an answer that is gathered before any of it is passed on; hundreds of times what a model writes at once. */
const MAX_WHOLE_BYTES = 64 * 1024 * 1024;

/**
 * One request and its answer: asks the candidates of its plan until one answers, relays the bytes as they are, counts what they
 * cost, and settles the hold exactly once, whatever happens. The client gets the last byte after the settlement is durable.
 *
 * Another attempt is made only where the client has seen nothing yet and nothing can have been worked on: the request was not
 * sent, or the answer says so.
 *
 * One instance holds all that a call needs and is itself undici's handler, for one attempt after the other: closures per request
 * live through the wait for the provider, are moved to the old generation, and cost a quarter of the CPU in garbage collection.
 */
export class Exchange implements Dispatcher.DispatchHandler, Cuttable, Waiter {
  static readonly #ended = new Cohort<Exchange>((exchange) => exchange.goOn());
  #resolve!: () => void;
  #reject!: (error: unknown) => void;
  /** Of the attempt under way, once something of it may have been sent. */
  #controller: Dispatcher.DispatchController | null = null;
  #reader: AnswerReader | null = null;
  #parts: Buffer[] | null = null;
  #bytes = 0;
  #status = 0;
  #headers: ResponseHeaders = {};
  #cut: CodedError | 'client left' | null = null;
  /** Of whoever makes it wait before it is run, to be told at once that it is cut. */
  onCut: (() => void) | null = null;
  #over = false;
  outcome: CallSummary['outcome'] = 'unsent';
  #firstByteMs: number | null = null;
  readonly #startedMs = performance.now();
  #deal!: Deal;
  /** Of the plan's candidates, the one that is asked. */
  #index = 0;
  #passage: Passage | null = null;
  /** How long it waits before the next attempt. */
  #pause: NodeJS.Timeout | null = null;
  #attempts: Attempts | null = null;
  #guard: KeyGuard | null = null;
  #row: SettledEntry | null = null;
  #stopReason: string | null = null;
  /** Whether the client got all of the answer, and nothing was wrong with it. */
  #isSound = false;
  /** Of the attempt under way, where the candidate speaks another dialect than the client. */
  #translation: Translation | null = null;

  constructor(
    private readonly call: Call,
    private readonly sink: AnswerSink,
    private readonly upstream: Upstream,
  ) {}

  get summary(): CallSummary {
    return summaryOf(this.call, this.#index, this.outcome, this.#startedMs, this.#firstByteMs);
  }

  /** What is known of an answer that its client got whole and without fault. */
  get answered(): Answered | null {
    return this.#isSound && this.#row ? { row: this.#row, stopReason: this.#stopReason } : null;
  }

  /** Why the call was ended by us, if it was: `ENDED` where nobody is there to be told. */
  get cutBy(): Error | null {
    return this.#cut === 'client left' ? ENDED : this.#cut;
  }

  get tokenId(): string {
    return this.call.principal.id;
  }

  get tenantId(): string {
    return this.call.principal.tenantId as string;
  }

  /** Resolves when the answer is settled and handed over. @throws CodedError as long as the client has seen nothing */
  run(deal: Deal): Promise<void> {
    this.#deal = deal;
    const done = new Promise<void>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (this.#cut) this.conclude(this.fail(ENDED));
    else this.ask(this.upstream.firstToAsk(this.call.plan.candidates));
    return done;
  }

  /** Ends it before its time: by an error, or because nobody reads on, so that the provider need not go on. */
  cut(why: CodedError | 'client left'): void {
    if (this.#over || this.#cut) return;
    this.#cut = why;
    this.onCut?.();
    if (this.#pause !== null || this.#passage?.forget()) {
      clearTimeout(this.#pause ?? undefined);
      this.#pause = null;
      this.conclude(this.fail(ENDED));
    }
    // Before a connection is there, undici has nothing to abort; onRequestStart looks again. After the last byte, it aborts nothing.
    else this.#controller?.abort(ENDED);
  }

  /** Asks a candidate, as soon as its provider has room for the call. */
  private ask(index: number): void {
    this.#index = index;
    this.#pause = null;
    this.call.trace?.trying(this.call.plan.candidates[index] as Candidate);
    try {
      this.#passage = this.upstream.enter((this.call.plan.candidates[index] as Candidate).provider, this);
      if (this.#passage.isInside) this.send(this.#passage);
    } catch (error) {
      this.notSent(error as Error);
    }
  }

  turn(isInside: boolean): void {
    if (!isInside) return this.notSent(busy());
    const passage = this.#passage as Passage;
    passage.isInside = true;
    try {
      this.send(passage);
    } catch (error) {
      this.notSent(error as Error);
    }
  }

  /** Those of the candidate that is asked. */
  private get terms(): Terms {
    return this.#deal.terms[this.#index] as Terms;
  }

  private send(passage: Passage): void {
    if (this.#attempts) this.forgetAttempt();
    const { hold, clampedTo } = this.#deal;
    const request = requestTo(this.terms, clampedTo, this.call.request, this.call.facts);
    this.#translation = request.translation;
    this.call.trace?.sent(passage.line, request);
    passage.open(hold, request, this);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Nothing is sent yet: aborted here, the request reaches nobody.
    if (this.#cut) controller.abort(ENDED);
    else this.#controller = controller;
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: ResponseHeaders): void {
    if (status < 200) return;
    this.#passage?.answered(status, headers);
    this.#firstByteMs = performance.now() - this.#startedMs;
    this.#status = status;
    this.#headers = headers;
    // We asked for none; what is compressed can neither be counted nor passed on to a client that asked for none.
    if ((headers['content-encoding'] ?? 'identity') !== 'identity') return controller.abort(unusable('is compressed'));
    if (status >= 300 || !isEventStream(headers)) {
      this.#parts = [];
      return;
    }
    const wantsHead = this.call.trace?.isSampled;
    this.#reader =
      this.#translation?.reader(wantsHead) ??
      new UsageReader(this.terms.candidate.wire, asksUsageForUs(this.call.facts), wantsHead);
    this.#guard = this.#passage?.key?.guard() ?? null;
    this.sink.start(status, this.headersToClient());
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#parts) {
      this.#parts.push(chunk);
      this.#bytes += chunk.length;
      if (this.#bytes > MAX_WHOLE_BYTES) controller.abort(unusable('is too large'));
      return;
    }
    let relayed = this.#reader?.push(chunk);
    if (relayed && this.#guard) {
      const passed = this.#guard.pass(relayed);
      if (passed === null) return controller.abort(unusable('repeats what is not for you'));
      relayed = passed;
    }
    if (relayed && !this.sink.write(relayed, () => controller.resume())) controller.pause();
  }

  onResponseEnd(): void {
    this.#passage?.leave();
    this.call.trace?.tried(this.#status, null);
    Exchange.#ended.add(this);
  }

  /** What follows the last byte of an attempt. */
  private goOn(): void {
    try {
      if (this.#reader) this.conclude(this.endStream(this.#reader));
      else this.goOnWhole();
    } catch (error) {
      this.conclude(this.fail(error as Error));
    }
  }

  private goOnWhole(): void {
    const body = Buffer.concat(this.#parts ?? []);
    const usage = readWholeUsage(this.terms.candidate.wire, body, this.call.trace?.isSampled);
    // What was worked on is billed, whatever its status, and not asked for again.
    const isRefused = this.#status >= 300 && mayBeSentAgain(this.#status) && usage.usage === null;
    if (isRefused && this.again(refusalOf(this.#status, this.#headers, this.#passage?.hasSpareKey ?? false))) return;
    this.conclude(this.endWhole(body, usage));
  }

  onResponseError(_: Dispatcher.DispatchController | null, error: Error): void {
    if (!this.#cut) this.#passage?.broke(error);
    if (this.#controller === null) return this.notSent(error);
    this.#passage?.leave();
    this.call.trace?.tried(this.#status, error);
    this.conclude(this.fail(error));
  }

  private notSent(error: Error): void {
    this.#passage?.leave();
    this.call.trace?.tried(0, error);
    // What this candidate's provider has no words for, another's may have.
    const isOurs = error instanceof CodedError && error.entry.status < 500;
    if (!this.again(isOurs ? NOT_POSSIBLE : NOT_SENT)) this.conclude(this.fail(error));
  }

  /** Makes another attempt in place of one that failed; false where it is to end as it is. */
  private again(failure: Failure): boolean {
    if (this.#cut) return false;
    const { candidates, rules } = this.call.plan;
    const nowMs = performance.now();
    const inForce = rules ?? this.upstream.rulesOf(candidates[0].provider);
    this.#attempts ??= new Attempts(candidates.length, inForce, this.#startedMs);
    this.#attempts.failed(this.#index, failure, nowMs);
    const next = this.#attempts.next(nowMs, (index) =>
      this.upstream.waitMs((candidates[index] as Candidate).provider, nowMs),
    );
    if (next === null) return false;
    this.#passage?.retried();
    if (next.waitMs > 0) this.#pause = setTimeout(() => this.ask(next.index), next.waitMs);
    else this.ask(next.index);
    return true;
  }

  private forgetAttempt(): void {
    this.#controller = null;
    this.#parts = null;
    this.#bytes = 0;
    this.#status = 0;
    this.#headers = {};
    this.#firstByteMs = null;
  }

  /** What goes wrong at the very end is told to whoever waits for this call, and to nobody else's. */
  private conclude(ending: Promise<void>): void {
    ending.then(this.#resolve, (error: unknown) => {
      const { provider, model } = this.call.plan.candidates[this.#index] as Candidate;
      if (error instanceof CodedError) Object.assign(error.facts, { provider, model: model.id });
      this.#reject(error);
    });
  }

  private async endWhole(body: Buffer, usage: WholeUsage): Promise<void> {
    const { wire } = this.terms.candidate;
    const outputSeen = wire !== 'embeddings' ? Math.ceil(body.length / BYTES_PER_TOKEN) : 0;
    const isError = this.#status >= 300;
    const isUsable = isError || usage.problem?.reason !== 'unreadable';
    const outcome = !isError && isUsable ? 'completed' : 'failed';
    const { usage: used, problem, stopReason, head } = usage;
    const status = this.#status;
    await this.settle({ status, outcome, outputSeen, final: true, usage: used, problem, stopReason, head });
    if (!isUsable) throw unusable('is not a JSON object');
    const told = this.#translation ? this.#translation.whole(this.#status, body) : body;
    const answer = wholeAnswer(this.call.facts.wire, this.#status, told, usage.failure);
    const headers = this.headersToClient();
    headers['content-type'] = 'application/json';
    this.sink.whole(answer.status, headers, this.#passage?.key?.maskIn(answer.body) ?? answer.body);
    this.#isSound = !isError && usage.failure === null;
  }

  private async endStream(reader: AnswerReader): Promise<void> {
    const rest = reader.flush();
    const usage = reader.finish();
    const outcome = usage.terminal ? 'completed' : 'failed';
    await this.settle({ status: this.#status, outcome, outputSeen: usage.deltas, ...usage });
    const last = usage.error ? errorEvent(this.call.facts.wire, usage.error) : rest;
    this.sink.write(this.#guard?.last(last) ?? last, ignore);
    // An error event is an end of its own; otherwise a stream without its last event was cut on the way.
    if (usage.terminal || usage.error) this.sink.end();
    else this.sink.cut(new CodedError('provider_error', 'The provider ended the answer before it was complete.'));
    this.#isSound = usage.terminal && !usage.error;
  }

  private async fail(error: Error): Promise<void> {
    if (this.#controller === null) return this.giveUp(error);
    const usage = this.#reader?.finish();
    // A whole answer that broke off has told as little as one that never came.
    const status = this.#reader || this.#status >= 300 ? this.#status : 0;
    const told = usage ? { outputSeen: usage.deltas, ...usage } : NOTHING_TOLD;
    await this.settle({ status, outcome: this.#cut ? 'aborted' : 'failed', ...told });
    if (this.#cut === 'client left') return;
    const why = this.#cut ?? explain(error);
    if (!this.#reader) throw why;
    this.sink.cut(why);
  }

  /** Nothing reached the provider, so nothing is owed. */
  private giveUp(error: Error): void {
    this.#over = true;
    this.#deal.hold.release();
    if (this.#cut !== 'client left') throw this.#cut ?? explain(error);
  }

  private headersToClient(): Record<string, string> {
    const dropped = this.#translation?.dropped ?? toolsDropped(this.call.facts, this.terms.uses);
    const key = this.#passage?.key ?? null;
    const { clampedTo } = this.#deal;
    return answerHeaders(this.#headers, this.call, { clampedTo, dropped, terms: this.terms, key });
  }

  /** Resolves when it is durable. */
  private settle(ending: Ended): Promise<void> {
    this.#over = true;
    this.outcome = ending.outcome;
    const { hold, terms } = this.#deal;
    const { candidate, quote, price, attribution } = this.terms;
    if (terms.length > 1) hold.attributeTo(attribution);
    const facts = factsFor(this.call.facts, candidate);
    const billed = bill(price, quote, endingOf(facts, ending, this.call.request.body, candidate.model));
    const { costNanos, tokens } = billed;
    const id = providerRequestId(this.#headers);
    const told = id !== null && this.#passage?.key?.isIn(id) ? null : id;
    const row = new SettledEntry(hold, billed, ending.outcome, told);
    this.#row = row;
    this.#stopReason = ending.stopReason ?? null;
    this.call.trace?.concluded(billed, ending, told, this.#deal.clampedTo, this.#passage?.key);
    return hold.settle({ costNanos, tokens, row });
  }
}

const ignore = (): void => undefined;
