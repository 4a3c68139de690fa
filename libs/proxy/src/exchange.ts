import type { ModelPrice, Quote } from '@app/billing';
import { CodedError } from '@app/platform';
import type { Hold } from '@app/quota';
import type { Dispatcher } from 'undici';
import type { Cuttable } from './active-calls';
import type { AnswerSink } from './answer-sink';
import { bill, type Ending } from './bill';
import { SettledEntry } from './ledger-sink';
import type { CallSummary } from './call-metrics';
import { errorEvent, failureInOurWords } from './error-events';
import { headersToClient, providerRequestId } from './headers';
import { errorAnswer } from './provider-answer';
import type { RequestFacts, TierAsked } from './request-facts';
import { toolsDropped } from './search-uses';
import type { UpstreamRequest, Upstream } from './upstream';
import { UsageReader } from './usage/usage-reader';
import { readWholeUsage } from './usage/whole-usage';
import { DIALECT_OF } from './wire';

type ResponseHeaders = Record<string, string | string[] | undefined>;

const ENDED = new Error('the call was ended');

/** Rule of thumb of the providers' own pages: a token of text is about four bytes. Used only where nothing was told. */
const BYTES_PER_TOKEN = 4;

/** The most of an answer that is gathered before any of it is passed on; hundreds of times what a model writes at once. */
const MAX_WHOLE_BYTES = 64 * 1024 * 1024;

/** Whose call it is, and where it goes. */
export interface Call {
  readonly tokenId: string;
  readonly provider: string;
  readonly facts: RequestFacts;
}

/** What was agreed for it. */
export interface Deal {
  readonly hold: Hold;
  readonly quote: Quote;
  readonly price: ModelPrice;
  /** The output limit it was lowered to, if it was. */
  readonly clampedTo: number | null;
  /** How often each of its searching tools may be used. */
  readonly uses: readonly number[];
  /** The service tier it was let into. */
  readonly tier: TierAsked | undefined;
}

/**
 * One request and its answer: relays the bytes as they are, counts what they cost, and settles the hold exactly once,
 * whatever happens. The client gets the last byte after the settlement is durable.
 *
 * One instance holds all that a call needs and is itself undici's handler: closures per request live through the wait
 * for the provider, are moved to the old generation, and cost a quarter of the CPU in garbage collection.
 */
export class Exchange implements Dispatcher.DispatchHandler, Cuttable {
  #resolve!: () => void;
  #reject!: (error: unknown) => void;
  #controller: Dispatcher.DispatchController | null = null;
  #reader: UsageReader | null = null;
  #parts: Buffer[] | null = null;
  #bytes = 0;
  #status = 0;
  #headers: ResponseHeaders = {};
  /** Why the call was ended by us, if it was. */
  #cut: CodedError | 'client left' | null = null;
  #over = false;
  #outcome: CallSummary['outcome'] = 'unsent';
  #firstByteMs: number | null = null;
  readonly #startedMs = performance.now();
  #deal!: Deal;

  constructor(
    private readonly call: Call,
    private readonly sink: AnswerSink,
    private readonly requestId: string,
    private readonly hideUsage: boolean,
  ) {}

  get summary(): CallSummary {
    const { facts, provider } = this.call;
    const totalMs = performance.now() - this.#startedMs;
    return {
      dialect: DIALECT_OF[facts.wire],
      provider,
      outcome: this.#outcome,
      firstByteMs: this.#firstByteMs,
      totalMs,
    };
  }

  get tokenId(): string {
    return this.call.tokenId;
  }

  /** Resolves when the answer is settled and handed over. @throws CodedError as long as the client has seen nothing */
  run(deal: Deal, upstream: Upstream, request: UpstreamRequest): Promise<void> {
    this.#deal = deal;
    const done = new Promise<void>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    try {
      if (this.#cut) throw ENDED;
      upstream.open(deal.hold, request, this);
    } catch (error) {
      this.conclude(this.fail(error as Error));
    }
    return done;
  }

  /** The client is gone: nobody reads on, so the provider need not go on. */
  leave(): void {
    this.stop('client left');
  }

  cut(error: CodedError): void {
    this.stop(error);
  }

  private stop(why: CodedError | 'client left'): void {
    if (this.#over || this.#cut) return;
    this.#cut = why;
    // Before a connection is there, undici has nothing to abort; onRequestStart looks again.
    this.#controller?.abort(ENDED);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Nothing is sent yet: aborted here, the request reaches nobody.
    if (this.#cut) controller.abort(ENDED);
    else this.#controller = controller;
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: ResponseHeaders): void {
    if (status < 200) return;
    this.#firstByteMs = performance.now() - this.#startedMs;
    this.#status = status;
    this.#headers = headers;
    // We asked for none; what is compressed can neither be counted nor passed on to a client that asked for none.
    if ((headers['content-encoding'] ?? 'identity') !== 'identity') return controller.abort(unusable('is compressed'));
    if (status >= 300 || !isEventStream(headers)) {
      this.#parts = [];
      return;
    }
    this.#reader = new UsageReader(this.call.facts.wire, this.hideUsage);
    this.sink.start(status, this.headersToClient());
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#parts) {
      this.#parts.push(chunk);
      this.#bytes += chunk.length;
      if (this.#bytes > MAX_WHOLE_BYTES) controller.abort(unusable('is too large'));
      return;
    }
    const relayed = this.#reader?.push(chunk);
    if (relayed && !this.sink.write(relayed, () => controller.resume())) controller.pause();
  }

  onResponseEnd(): void {
    this.conclude(this.#reader ? this.endStream(this.#reader) : this.endWhole(Buffer.concat(this.#parts ?? [])));
  }

  onResponseError(_: Dispatcher.DispatchController | null, error: Error): void {
    this.conclude(this.fail(error));
  }

  /** What goes wrong at the very end is told to whoever waits for this call, and to nobody else's. */
  private conclude(ending: Promise<void>): void {
    ending.then(this.#resolve, this.#reject);
  }

  private async endWhole(body: Buffer): Promise<void> {
    const { wire } = this.call.facts;
    const usage = readWholeUsage(wire, body);
    const outputSeen = wire !== 'embeddings' ? Math.ceil(body.length / BYTES_PER_TOKEN) : 0;
    const isError = this.#status >= 300;
    const isUsable = isError || usage.problem?.reason !== 'unreadable';
    await this.settle({
      status: this.#status,
      outcome: !isError && isUsable ? 'completed' : 'failed',
      final: true,
      outputSeen,
      ...usage,
    });
    if (!isUsable) throw unusable('is not a JSON object');
    const answer = isError
      ? errorAnswer(DIALECT_OF[wire], this.#status, body)
      : { status: this.#status, body: usage.failure ? failureInOurWords(body, usage.failure) : body };
    const headers = this.headersToClient();
    headers['content-type'] = 'application/json';
    this.sink.whole(answer.status, headers, answer.body);
  }

  private async endStream(reader: UsageReader): Promise<void> {
    const rest = reader.flush();
    const usage = reader.finish();
    const outcome = usage.terminal ? 'completed' : 'failed';
    await this.settle({ status: this.#status, outcome, outputSeen: usage.deltas, ...usage });
    this.sink.write(usage.error ? errorEvent(this.call.facts.wire, usage.error) : rest, ignore);
    // An error event is an end of its own; otherwise a stream without its last event was cut on the way.
    if (usage.terminal || usage.error) this.sink.end();
    else this.sink.cut(new CodedError('provider_error', 'The provider ended the answer before it was complete.'));
  }

  private async fail(error: Error): Promise<void> {
    if (this.#controller === null) return this.giveUp(error);
    const usage = this.#reader?.finish();
    await this.settle({
      // A whole answer that broke off has told as little as one that never came.
      status: this.#reader || this.#status >= 300 ? this.#status : 0,
      outcome: this.#cut ? 'aborted' : 'failed',
      usage: usage?.usage ?? null,
      final: usage?.final ?? false,
      problem: usage?.problem ?? null,
      outputSeen: usage?.deltas ?? 0,
    });
    if (this.#cut === 'client left') return;
    const told = this.#cut ?? explain(error);
    if (!this.#reader) throw told;
    this.sink.cut(told);
  }

  /** Nothing reached the provider, so nothing is owed. */
  private giveUp(error: Error): void {
    this.#over = true;
    this.#deal.hold.release();
    if (this.#cut !== 'client left') throw this.#cut ?? explain(error);
  }

  private headersToClient(): Record<string, string> {
    const headers = headersToClient(this.#headers, this.requestId);
    const { clampedTo, uses } = this.#deal;
    if (clampedTo !== null) headers[CLAMPED_HEADER] = String(clampedTo);
    const dropped = uses.length > 0 ? toolsDropped(this.call.facts, uses) : [];
    if (dropped.length > 0) headers[DROPPED_HEADER] = dropped.join(', ');
    return headers;
  }

  private async settle(ending: Omit<Ending, 'inputGuess' | 'silentSearches'>): Promise<void> {
    this.#over = true;
    this.#outcome = ending.outcome;
    const { hold, quote, price } = this.#deal;
    const inputGuess = Math.ceil(this.call.facts.bodyBytes / BYTES_PER_TOKEN);
    const billed = bill(price, quote, { inputGuess, silentSearches: silentSearches(this.call.facts), ...ending });
    const { costNanos, tokens } = billed;
    const told = providerRequestId(this.#headers);
    const row = new SettledEntry(hold, billed, ending.outcome, told);
    await hold.settle({ costNanos, tokens, row });
  }
}

/** Tells a caller that its output limit was lowered, and to how many tokens. */
const CLAMPED_HEADER = 'x-openclawmu-output-clamped';
/** Names what was taken out of its request because nobody could bound or price it. */
const DROPPED_HEADER = 'x-openclawmu-dropped';

/** OpenAI bills a search for each answer of a searching model, and does not count it in the usage. */
const silentSearches = ({ searches, choices }: RequestFacts): number =>
  searches.some(({ name }) => name === 'web_search_options') ? choices : 0;

const unusable = (why: string): CodedError => new CodedError('provider_error', `The provider's answer ${why}.`);

const ignore = (): void => undefined;

const isEventStream = (headers: ResponseHeaders): boolean => {
  const type = headers['content-type'];
  return typeof type === 'string' && /^text\/event-stream/i.test(type);
};

const TIMEOUTS: Readonly<Record<string, string>> = {
  UND_ERR_CONNECT_TIMEOUT: 'The provider could not be reached in time.',
  UND_ERR_HEADERS_TIMEOUT: 'The provider did not begin to answer in time.',
  UND_ERR_BODY_TIMEOUT: 'The provider fell silent in the middle of the answer.',
};

function explain(error: Error & { code?: string }): CodedError {
  if (error instanceof CodedError) return error;
  const timeout = TIMEOUTS[error.code ?? ''];
  if (timeout) return new CodedError('provider_timeout', timeout, { cause: error });
  return new CodedError(
    'provider_unreachable',
    error.code === 'UND_ERR_SOCKET' ? 'The connection to the provider broke.' : undefined,
    { cause: error },
  );
}
