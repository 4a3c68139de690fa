import { parseRecord } from './json';
import type { Seal } from './seal';
import { unreadable } from './refuse';
import type { Logprobs, Stop, Usage } from './reply';

export type Spoken = 'text' | 'thinking' | 'refusal';

/** A block of an answer as it begins. Calls know their id and name from the start in every dialect. */
export type BlockHead = { readonly kind: Spoken } | CallHead;
interface CallHead {
  readonly kind: 'call';
  readonly id: string;
  readonly name: string;
}

/** Writes an answer down as it comes. Blocks follow each other: one is closed before the next is opened. */
export interface StreamWriter {
  /** @param usage what the provider has counted by then; few tell the input so early */
  begin(id: string, usage: Usage | null): void;
  open(block: BlockHead): void;
  delta(block: BlockHead, text: string, logprobs: Logprobs | undefined): void;
  close(block: BlockHead, seal: Seal | null): void;
  end(stop: Stop, stopSequence: string | null, usage: Usage | null): void;
}

/**
 * What a reader of a stream tells, put in an order that every writer can write: it opens and closes blocks, and keeps
 * for the end what is only then written down.
 */
export class ReplyStream {
  private block: BlockHead | null = null;
  private callKey: string | number | null = null;
  private callArgs = '';
  /** Calls that began while the one before was under way, with what came of their arguments. */
  private readonly waiting = new Map<string | number, { readonly head: CallHead; args: string }>();
  private readonly closedCalls = new Set<string | number>();
  private seal: Seal | null = null;
  private begun = false;
  private wordless = true;
  private stop: Stop = 'end';
  private stopSequence: string | null = null;
  /** What the provider counted so far. */
  usage: Usage | null = null;
  /** Whether the provider has said why it stopped. */
  stopped = false;
  /** Whether the end was written. */
  ended = false;
  /** Whether the provider gave up in the middle; nothing is written from then on. */
  failed = false;

  constructor(
    private readonly writer: StreamWriter,
    private readonly clientNames?: ReadonlyMap<string, string>,
  ) {}

  begin(id: string): void {
    if (this.begun) return;
    this.begun = true;
    this.writer.begin(id, this.usage);
  }

  speak(kind: Spoken, text: string, logprobs?: Logprobs): void {
    if (text === '' && !logprobs) return;
    if (this.block?.kind !== kind) this.open({ kind });
    this.wordless = false;
    this.writer.delta(this.block!, text, logprobs);
  }

  /**
   * Some servers tell calls in turns, which two of three dialects cannot: then the next one waits until this is whole.
   * @param key by which the provider's later events name the call
   */
  call(key: string | number, id: string, name: string): void {
    const head: CallHead = { kind: 'call', id, name: this.clientNames?.get(name) ?? name };
    if (this.callKey !== null && !isWhole(this.callArgs)) this.waiting.set(key, { head, args: '' });
    else this.startCall(key, head);
  }

  args(key: string | number, text: string): void {
    if (text === '') return;
    const waits = this.waiting.get(key);
    if (waits) waits.args += text;
    else if (key === this.callKey) {
      this.tellArgs(text);
      if (this.waiting.size > 0 && isWhole(this.callArgs)) this.close();
    } else if (text.trim() !== '')
      throw unreadable(this.closedCalls.has(key) ? 'goes back to an earlier call' : 'has a call without a name');
  }

  /** Seals the thought that is being told, or one that was kept silent. */
  sealThought(seal: Seal): void {
    if (this.block?.kind !== 'thinking') this.open({ kind: 'thinking' });
    this.seal = seal;
    this.close();
  }

  get speaking(): BlockHead['kind'] | null {
    return this.block?.kind ?? null;
  }

  /** Closes what is being told; a call that waited is told then. */
  close(): void {
    this.closeBlock();
    for (const [key, { head, args }] of this.waiting) {
      this.waiting.delete(key);
      this.startCall(key, head);
      if (args !== '') this.tellArgs(args);
      if (this.waiting.size === 0 || !isWhole(args)) return;
      this.closeBlock();
    }
  }

  private closeBlock(): void {
    const { block, seal } = this;
    if (!block) return;
    this.block = null;
    this.seal = null;
    if (block.kind === 'call') {
      // A tool without arguments is called with an empty object; some providers leave it out.
      if (this.wordless) this.writer.delta(block, '{}', undefined);
      if (this.callKey !== null) this.closedCalls.add(this.callKey);
      this.callKey = null;
    }
    this.writer.close(block, seal);
  }

  stopFor(stop: Stop, sequence: string | null = null): void {
    this.stop = stop;
    this.stopSequence = sequence;
    this.stopped = true;
  }

  end(): void {
    if (this.ended || this.failed) return;
    this.begin('');
    this.closeAll();
    this.ended = true;
    this.writer.end(this.stop, this.stopSequence, this.usage);
  }

  private startCall(key: string | number, head: CallHead): void {
    this.open(head);
    this.callKey = key;
    this.callArgs = '';
  }

  private tellArgs(text: string): void {
    this.wordless = false;
    this.callArgs += text;
    this.writer.delta(this.block!, text, undefined);
  }

  private closeAll(): void {
    while (this.block) this.close();
  }

  private open(block: BlockHead): void {
    this.closeAll();
    this.block = block;
    this.wordless = true;
    this.writer.open(block);
  }
}

const isWhole = (args: string): boolean => args.trimEnd().endsWith('}') && parseRecord(args) !== undefined;

/** Understands the events of one provider's stream. */
export interface StreamReader {
  /** The data of one event that is no JSON, such as `[DONE]`. */
  word?(data: string, reply: ReplyStream): void;
  event(event: Readonly<Record<string, unknown>>, reply: ReplyStream): void;
  /** The provider ended the stream; ends the answer if the dialect has no other word for that. */
  flush(reply: ReplyStream): void;
}
