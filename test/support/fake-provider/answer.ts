import type { ServerResponse } from 'node:http';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import type { Behaviour, ErrorAnswer, Moment } from './behaviour';
import { complete, type Completion } from './completion';
import type { Dialect } from './dialect';
import { frame } from './framing';
import { GzipBody } from './gzip-body';
import type { ReceivedRequest } from './received-request';

/** Thrown to leave an answer that is over: the caller went away, or the script broke it off. */
class AnswerOver extends Error {}

/** Plays one behaviour as the answer to one request. */
export class Answer {
  private readonly gzip: GzipBody | undefined;
  private readonly streams: boolean;
  private hasPaused = false;
  /** Framed events that are not on the wire yet. */
  private held: Buffer = Buffer.alloc(0);

  constructor(
    private readonly request: ReceivedRequest,
    private readonly response: ServerResponse,
    private readonly dialect: Dialect,
    private readonly behaviour: Behaviour,
  ) {
    const accepted = String(request.headers['accept-encoding'] ?? '').includes('gzip');
    this.gzip = behaviour.gzip && accepted ? new GzipBody() : undefined;
    this.streams = request.streams;
    response.once('close', () => request.end('aborted'));
  }

  /** The whole scenario. Ends when the request has an outcome; throws only on a fault of the script or the fake. */
  async play(): Promise<void> {
    const { error, html } = this.behaviour;
    await this.untilOver(async () => {
      if (html !== undefined) return this.sendPage(html);
      if (error !== undefined) return this.sendError(typeof error === 'number' ? { status: error } : error);
      return this.sendCompletion(complete(this.request, this.dialect, this.behaviour));
    });
  }

  /** Answers at once with a JSON document that is no completion, such as a list of models. */
  async sendDocument(document: object): Promise<void> {
    await this.untilOver(() => this.sendJson(200, {}, document));
  }

  private async untilOver(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof AnswerOver)) throw error;
    }
  }

  private async sendError(answer: ErrorAnswer): Promise<void> {
    const { headers, body } = this.dialect.error(answer, this.request.requestId);
    await this.begin();
    await this.sendJson(answer.status, headers, body);
  }

  /** A middlebox knows neither the account nor the request's id. */
  private async sendPage(status: number): Promise<void> {
    const page = `<html><head><title>${status}</title></head><body><h1>${status}</h1><hr>proxy-3.corp</body></html>\n`;
    await this.begin();
    await this.sendWhole(status, { 'content-type': 'text/html; charset=utf-8' }, page);
  }

  private async sendCompletion(completion: Completion): Promise<void> {
    const { request, dialect, behaviour } = this;
    request.charge({ ...completion.tokens, output: 0, reasoning: 0 });
    await this.begin();
    if (this.streams) return this.sendStream(completion);
    request.charge(completion.tokens);
    await this.sendJson(200, {}, dialect.whole(completion, behaviour.usage, request.json));
  }

  private async sendJson(status: number, headers: Readonly<Record<string, string>>, body: object): Promise<void> {
    const all = { ...this.providerHeaders(), 'content-type': 'application/json', ...headers };
    await this.sendWhole(status, all, JSON.stringify(body));
  }

  private async begin(): Promise<void> {
    await this.wait(this.behaviour.delayMs);
    await this.reach('before-headers');
  }

  private async sendStream(completion: Completion): Promise<void> {
    const { gapMs, framing, usage } = this.behaviour;
    const cut = framing?.bytesPerWrite;
    const events = [...this.dialect.events(completion, this.request.json, usage)];
    const last = events.pop();

    this.writeHead(200, {
      ...this.providerHeaders(),
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
    });
    await this.reach('after-headers');
    for (const event of events) {
      // With nothing generated yet, the moment 0 is right before the first piece: after the events that open the stream.
      const { pieces } = this.request;
      if ((event.tokens !== undefined || pieces > 0) && this.isDue(pieces)) {
        await this.flush(true);
        await this.reach(pieces);
      }
      if (event.tokens !== undefined) {
        await this.wait(gapMs);
        this.request.generate(event.tokens);
      }
      this.held = Buffer.concat([this.held, frame(event, framing)]);
      if (cut !== 'all') await this.flush(cut === undefined);
    }
    this.assertMomentsReached();
    if (last) this.held = Buffer.concat([this.held, frame(last, framing)]);
    await this.flush(false);
    this.request.charge(completion.tokens);
    this.finish('completed', (await this.gzip?.end(this.held)) ?? this.held);
  }

  /** Sends the events held back: all their bytes, or only the cuts that are followed by more. */
  private async flush(everything: boolean): Promise<void> {
    const cut = this.behaviour.framing?.bytesPerWrite;
    const size = typeof cut === 'number' ? cut : this.held.length;
    while (this.held.length > size || (everything && this.held.length > 0)) {
      const part = this.held.subarray(0, size);
      this.held = this.held.subarray(size);
      await this.write(part);
    }
  }

  /** In a whole body every numbered moment is its middle: half of the bytes are out. */
  private async sendWhole(status: number, headers: Record<string, string>, text: string): Promise<void> {
    const { breakAt, pauseAt } = this.behaviour;
    const plain = Buffer.from(text, 'utf8');
    const bytes = (await this.gzip?.end(plain)) ?? plain;
    const middle = Math.floor(bytes.length / 2);
    const truncated = breakAt?.at === 'after-headers' ? 0 : middle;
    const length = breakAt?.how === 'truncate' ? truncated : bytes.length;
    this.writeHead(status, { ...headers, 'content-length': String(length) });
    await this.reach('after-headers');
    await this.put(bytes.subarray(0, middle));
    if (typeof pauseAt === 'number') await this.reach(pauseAt);
    if (typeof breakAt?.at === 'number') await this.reach(breakAt.at);
    this.finish(status < 400 ? 'completed' : 'refused', bytes.subarray(middle));
  }

  private providerHeaders(): Record<string, string> {
    const { accountHeaders, requestIdHeader } = this.dialect;
    return { ...accountHeaders, [requestIdHeader]: this.request.requestId, 'x-future-header': 'kept' };
  }

  private writeHead(status: number, headers: Record<string, string>): void {
    this.response.writeHead(status, { ...headers, ...(this.gzip && { 'content-encoding': 'gzip' }) });
    this.response.flushHeaders();
  }

  private isDue(moment: Moment): boolean {
    return (this.behaviour.pauseAt === moment && !this.hasPaused) || this.behaviour.breakAt?.at === moment;
  }

  /** Does what the script wants at this moment: first the pause, then the break, which leaves the answer. */
  private async reach(moment: Moment): Promise<void> {
    const { pauseAt, breakAt } = this.behaviour;
    if (pauseAt === moment && !this.hasPaused) {
      this.hasPaused = true;
      await this.request.pause().catch(leave);
    }
    if (breakAt?.at === moment) await this.breakOff(breakAt.how);
  }

  private async breakOff(how: 'disconnect' | 'truncate' | 'error-event'): Promise<never> {
    const { headersSent } = this.response;
    const givesUp = how === 'error-event' && this.streams && headersSent;
    const error = frame(this.dialect.errorEvent(this.request.requestId), this.behaviour.framing);
    const farewell = givesUp ? ((await this.gzip?.end(error)) ?? error) : undefined;
    this.request.end('broken');
    if (farewell || (how === 'truncate' && headersSent)) this.response.end(farewell);
    else this.response.destroy();
    return leave();
  }

  /** A scenario that never happened would pass for a test of it. */
  private assertMomentsReached(): void {
    for (const at of [this.behaviour.pauseAt, this.behaviour.breakAt?.at]) {
      const { model, pieces } = this.request;
      if (typeof at !== 'number' || at <= pieces) continue;
      throw new Error(`the script waits for piece ${at} of "${model}", which had only ${pieces}`);
    }
  }

  private async wait(milliseconds: number | undefined): Promise<void> {
    if (milliseconds) await sleep(milliseconds, undefined, { signal: this.request.signal }).catch(leave);
  }

  private async write(bytes: Buffer): Promise<void> {
    await this.put(this.gzip ? await this.gzip.add(bytes) : bytes);
    // A turn of the event loop keeps two writes from sharing one packet.
    await turn();
  }

  /** Waits until the socket has taken the bytes, so that a slow reader slows the provider down. */
  private async put(bytes: Buffer): Promise<void> {
    const { signal } = this.request;
    if (signal.aborted) leave();
    await new Promise<void>((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done);
        resolve();
      };
      signal.addEventListener('abort', done);
      this.response.write(bytes, done);
    });
    if (signal.aborted) leave();
  }

  /**
   * Hands the last bytes over. The outcome stands before they leave: whoever has read a complete answer finds it
   * completed, and may close the connection without being taken for one who left midway.
   */
  private finish(outcome: 'completed' | 'refused', bytes: Buffer): void {
    if (this.request.signal.aborted) leave();
    this.request.end(outcome);
    this.response.end(bytes);
  }
}

function leave(): never {
  throw new AnswerOver();
}
