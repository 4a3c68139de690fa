import { CodedError } from '@app/platform';
import { Findings } from '@app/policy';
import type { AnswerSink } from '../answer/answer-sink';
import { inspectAnswer } from './answer-inspection';
import type { Inspecting } from './inspecting';
import { MaskedEvents } from './masked-events';

/** Names the rules that masked something, in the request or in an answer that comes at once. */
const MASKED_HEADER = 'x-openclawmu-masked';

/**
 * How Anthropic refuses a thought that is not as it was signed. Somebody else may have altered it; more likely a mask in an answer did.
 * https://platform.claude.com/docs/en/build-with-claude/thinking-troubleshooting
 */
const THOUGHT_REFUSED = /thinking`? blocks [^"]{0,60}cannot be modified|Invalid `?signature`? in `?thinking`? block/;

/** Who wants to know how it went. */
export interface Onlooker {
  /** What was found, once the answer is over. */
  over(findings: Findings): void;
  /** The answer is refused: whoever makes it need not go on. */
  refused(error: CodedError, findings: Findings): void;
}

/** Only names what was masked in the request. */
export class NamingSink implements AnswerSink {
  constructor(
    protected readonly sink: AnswerSink,
    /** Names of rules, which masked something in the request. */
    protected readonly named: string,
  ) {}

  whole(status: number, headers: Record<string, string>, body: Buffer): void {
    this.name(headers, this.named);
    this.sink.whole(status, headers, body);
  }

  start(status: number, headers: Record<string, string>): void {
    this.name(headers, this.named);
    this.sink.start(status, headers);
  }

  write(chunk: Buffer, drained: () => void): boolean {
    return this.sink.write(chunk, drained);
  }

  end(): void {
    this.sink.end();
  }

  cut(error: CodedError): void {
    this.sink.cut(error);
  }

  protected name(headers: Record<string, string>, named: string): void {
    if (named !== '') headers[MASKED_HEADER] = named;
  }
}

/** Looks an answer through on its way, whole or in a stream. What comes behind it, recordings too, gets what the client gets. */
export class MaskingSink extends NamingSink {
  readonly #findings = new Findings();
  readonly #events: MaskedEvents;
  /** Why nothing more is passed on. */
  #refusal: CodedError | null = null;

  constructor(
    sink: AnswerSink,
    named: string,
    private readonly inspecting: Inspecting,
    private readonly onlooker: Onlooker,
    /** Whether masked thoughts went back in the request as they were written: then no mask is why a thought is refused. */
    private readonly isRestored: boolean,
  ) {
    super(sink, named);
    this.#events = new MaskedEvents(inspecting, this.#findings);
  }

  /** @throws CodedError `answer_refused`, `thought_masked`, `provider_error` */
  override whole(status: number, headers: Record<string, string>, body: Buffer): void {
    const masked = inspectAnswer(body, this.inspecting, this.#findings);
    this.onlooker.over(this.#findings);
    const refusal = this.refusal();
    if (refusal) {
      this.onlooker.refused(refusal, this.#findings);
      throw refusal;
    }
    if (status === 400 && !this.isRestored && THOUGHT_REFUSED.test(body.toString()))
      throw new CodedError('thought_masked');
    if (!masked) throw new CodedError('provider_error', 'The answer cannot be looked through.');
    const names = [this.named, this.#findings.masked].join(', ').split(', ');
    this.name(headers, [...new Set(names)].filter((name) => name !== '').join(', '));
    this.sink.whole(status, headers, masked);
  }

  override write(chunk: Buffer, drained: () => void): boolean {
    if (this.#refusal) return true;
    try {
      return this.pass(this.#events.push(chunk), drained);
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      this.refuse(error);
      return true;
    }
  }

  override end(): void {
    if (!this.#refusal) this.pass(this.#events.flush(), ignore);
    this.onlooker.over(this.#findings);
    if (this.#refusal) this.sink.cut(this.#refusal);
    else this.sink.end();
  }

  /** What was held back could be the beginning of something, so it stays here. */
  override cut(error: CodedError): void {
    this.onlooker.over(this.#findings);
    this.sink.cut(this.#refusal ?? error);
  }

  private pass(bytes: Buffer, drained: () => void): boolean {
    const mayGoOn = bytes.length === 0 || this.sink.write(bytes, drained);
    const refusal = this.refusal();
    if (refusal) this.refuse(refusal);
    return mayGoOn;
  }

  private refuse(error: CodedError): void {
    this.#refusal = error;
    this.onlooker.refused(error, this.#findings);
  }

  private refusal(): CodedError | null {
    const { refusedBy: rule } = this.#findings;
    if (rule === null) return null;
    return new CodedError('answer_refused', `The rule "${rule}" of your company found something in the answer.`, {
      details: { rule },
    });
  }
}

const ignore = (): void => undefined;
