import type { Principal } from '@app/platform';
import type { PromptLog } from '@app/prompts';
import type { AnswerSink } from './answer-sink';
import { RecordingSink } from './recording-sink';
import type { Wire } from './wire';

/** Tells a caller that the call is kept in the prompt log. */
export const KEPT_HEADER = 'x-openclawmu-prompt-log';
export const KEPT = 'kept';

const NOTHING = Buffer.alloc(0);

/** A call that is kept in the prompt log: what was asked, as it was routed, and what the client got, which is told so. */
export class KeptCall extends RecordingSink {
  readonly #at = new Date();
  #request: Buffer | null = null;
  #model = '';

  constructor(
    private readonly log: PromptLog,
    private readonly principal: Principal,
    private readonly asked: { readonly id: string; readonly wire: Wire },
    sink: AnswerSink,
    private readonly mostBytes: number,
  ) {
    super(sink, mostBytes);
  }

  /** A call that was refused before this has said nothing to anybody, and is not kept. */
  routed(model: string, body: Buffer): void {
    this.#model = model;
    this.#request = body;
  }

  override whole(status: number, headers: Record<string, string>, body: Buffer): void {
    headers[KEPT_HEADER] = KEPT;
    super.whole(status, headers, body);
  }

  override start(status: number, headers: Record<string, string>): void {
    headers[KEPT_HEADER] = KEPT;
    super.start(status, headers);
  }

  /** The call is over. */
  keep(): void {
    const request = this.#request;
    if (request === null) return;
    const answer = this.body;
    const isWhole = answer !== null && request.length <= this.mostBytes;
    this.log.keep({
      requestId: this.asked.id,
      tenantId: this.principal.tenantId as string,
      at: this.#at,
      tokenId: this.principal.id,
      model: this.#model,
      api: this.asked.wire,
      status: this.status,
      requestBytes: request.length,
      answerBytes: this.bytes,
      isWhole,
      request: request.subarray(0, this.mostBytes),
      answer: answer ?? NOTHING,
    });
  }
}
