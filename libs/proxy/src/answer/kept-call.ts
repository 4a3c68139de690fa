import type { Principal } from '@app/platform';
import type { PromptEntry, PromptLog } from '@app/prompts';
import type { Wire } from '../wire';
import type { AnswerSink } from './answer-sink';
import { RecordingSink } from './recording-sink';

/** Tells a caller that the call is kept in the prompt log. */
export const KEPT_HEADER = 'x-openclawmu-prompt-log';
export const KEPT = 'kept';

const NOTHING = Buffer.alloc(0);

/** A call that is kept in the prompt log: what was asked, as it was routed, and what the client got, which is told so. */
export class KeptCall extends RecordingSink {
  readonly #at = new Date();
  #request: Buffer | null = null;
  #model = '';
  #isAdmitted = false;
  #isKept = false;

  constructor(
    private readonly log: PromptLog,
    private readonly principal: Principal,
    private readonly asked: { readonly id: string; readonly wire: Wire },
    sink: AnswerSink,
    private readonly mostBytes: number,
  ) {
    super(sink, mostBytes);
  }

  routed(model: string, body: Buffer): void {
    this.#model = model;
    this.#request = body;
  }

  /** It is about to be sent: from now on it is in the log, whatever happens. */
  admitted(): void {
    this.#isAdmitted = true;
    if (this.#request) this.log.note(this.entryOf(this.#request, false));
  }

  override whole(status: number, headers: Record<string, string>, body: Buffer): void {
    headers[KEPT_HEADER] = KEPT;
    super.whole(status, headers, body);
  }

  override start(status: number, headers: Record<string, string>): void {
    headers[KEPT_HEADER] = KEPT;
    super.start(status, headers);
  }

  /** The call is over. One that was refused before it was sent has said nothing to anybody, and is not kept. */
  keep(): void {
    const request = this.#request;
    if (this.#isKept || request === null || !(this.#isAdmitted || this.status > 0)) return;
    this.#isKept = true;
    this.log.keep(this.entryOf(request, true));
  }

  /** Nobody has an answer that is not in the log. */
  protected override over(): void {
    this.keep();
  }

  private entryOf(request: Buffer, isOver: boolean): PromptEntry {
    const answer = this.body;
    return {
      requestId: this.asked.id,
      tenantId: this.principal.tenantId as string,
      at: this.#at,
      tokenId: this.principal.id,
      model: this.#model,
      api: this.asked.wire,
      status: this.status,
      requestBytes: request.length,
      answerBytes: this.bytes,
      isWhole: isOver && answer !== null && request.length <= this.mostBytes,
      // A part would hold on to all of it.
      request: request.length <= this.mostBytes ? request : Buffer.from(request.subarray(0, this.mostBytes)),
      answer: answer ?? NOTHING,
    };
  }
}
