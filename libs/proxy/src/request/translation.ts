import {
  errorType,
  readError,
  StreamTranslator,
  translateAnswer,
  writeError,
  type ClientFormat,
  type ProviderFormat,
  type Recall,
} from '@app/dialects';
import { CodedError } from '@app/platform';
import { UsageReader, type StreamUsage } from '../usage/usage-reader';

/** How the answer of a provider that was asked in another dialect is told to the client. */
export class Translation {
  constructor(
    private readonly from: ProviderFormat,
    private readonly to: ClientFormat,
    private readonly recall: Recall,
    /** Names of what the provider had no way to express. */
    readonly dropped: readonly string[],
  ) {}

  /** Counts what a stream of the provider costs, and tells the client of it. */
  reader(wantsHead = false): AnswerReader {
    return new TranslatingReader(this.from, this.to, this.recall, wantsHead);
  }

  /** A whole answer or an error. @throws CodedError `provider_error`, `provider_rejected_gateway` */
  whole(status: number, body: Buffer): Buffer {
    return status < 300 ? translateAnswer(this.from, this.to, body, this.recall) : this.error(status, body);
  }

  /** An error that is none of the provider's dialect stays as it is. */
  private error(status: number, body: Buffer): Buffer {
    const told = readError(body);
    if (!told) return body;
    // Google calls a key it does not take a fault of the request.
    if (this.from === 'gemini' && /^API key /i.test(told.message)) throw new CodedError('provider_rejected_gateway');
    return writeError(this.to, status, told);
  }
}

/** Reads a provider's stream, and says what of it the client gets. */
export type AnswerReader = Pick<UsageReader, 'push' | 'flush' | 'finish'>;

class TranslatingReader implements AnswerReader {
  readonly #usage: UsageReader;
  readonly #stream: StreamTranslator;
  #isTold = true;

  constructor(
    from: ProviderFormat,
    private readonly to: ClientFormat,
    recall: Recall,
    wantsHead: boolean,
  ) {
    this.#usage = new UsageReader(from, false, wantsHead);
    this.#stream = new StreamTranslator(from, to, recall);
  }

  push(chunk: Buffer): Buffer {
    this.#usage.push(chunk);
    return this.told(chunk);
  }

  flush(): Buffer {
    this.#usage.flush();
    return this.told(null);
  }

  /** An error has the type that clients of the dialect act on. */
  finish(): StreamUsage {
    const usage = this.#usage.finish();
    const error = usage.error && { type: errorType(this.to, usage.error.type), message: usage.error.message };
    return { ...usage, terminal: usage.terminal && this.#isTold, error };
  }

  /** What cannot be told to the client is billed like any other answer, so it is read to its end. */
  private told(chunk: Buffer | null): Buffer {
    try {
      if (this.#isTold) return chunk ? this.#stream.push(chunk) : this.#stream.flush();
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      this.#isTold = false;
    }
    return NOTHING;
  }
}

const NOTHING = Buffer.alloc(0);
