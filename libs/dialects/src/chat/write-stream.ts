import { CustomInput } from '../custom-input';
import type { Logprobs, Recall, Stop, Usage } from '../reply';
import type { BlockHead, StreamWriter } from '../reply-stream';
import type { Seal } from '../seal';
import type { SseWriter } from '../sse-writer';
import { CHAT_STOPS } from './stop';
import { writeChatUsage } from './usage';
import { chatId, comesBack, logprobsOf, writeThought } from './write-reply';

/** Writes a stream of chat completions. */
export class ChatStreamWriter implements StreamWriter {
  private id = '';
  private calls = -1;
  private custom: CustomInput | null = null;
  private thought = '';
  private spoken = false;

  constructor(
    private readonly recall: Recall,
    private readonly out: SseWriter,
  ) {}

  begin(id: string): void {
    this.id = chatId(id || this.recall.fallbackId);
    this.chunk({ role: 'assistant', content: '' });
  }

  open(block: BlockHead): void {
    if (block.kind === 'thinking') this.thought = '';
    else this.spoken = true;
    if (block.kind !== 'call') return;
    this.calls += 1;
    const { id, name } = block;
    this.custom = this.recall.customTools.has(name) ? new CustomInput() : null;
    const told = this.custom
      ? { type: 'custom', custom: { name, input: '' } }
      : { type: 'function', function: { name, arguments: '' } };
    this.chunk({ tool_calls: [{ index: this.calls, id, ...told }] });
  }

  delta(block: BlockHead, text: string, logprobs: Logprobs | undefined): void {
    switch (block.kind) {
      case 'text':
        return this.chunk({ content: text }, logprobs);
      case 'refusal':
        return this.chunk({ refusal: text });
      case 'thinking':
        this.thought += text;
        return this.chunk({ reasoning_content: text });
      case 'call': {
        if (!this.custom) return this.chunk({ tool_calls: [{ index: this.calls, function: { arguments: text } }] });
        return this.customInput(this.custom.push(text));
      }
    }
  }

  close(block: BlockHead, seal: Seal | null): void {
    if (block.kind === 'call' && this.custom) this.customInput(this.custom.end());
    const isTold = seal?.from === 'chat' && seal.data === '';
    if (block.kind === 'thinking' && seal && !isTold && comesBack(seal, this.spoken))
      this.chunk({ thinking_blocks: [writeThought({ text: this.thought, seal })] });
  }

  end(stop: Stop, _: string | null, usage: Usage | null): void {
    this.chunk({}, undefined, CHAT_STOPS[stop]);
    if (this.recall.usageAsked && usage) this.event([], writeChatUsage(usage));
    this.out.word('[DONE]');
  }

  private customInput(input: string): void {
    if (input !== '') this.chunk({ tool_calls: [{ index: this.calls, custom: { input } }] });
  }

  private chunk(delta: object, logprobs?: Logprobs, finish: string | null = null): void {
    const choice = { index: 0, delta, logprobs: logprobsOf(logprobs), finish_reason: finish };
    this.event([choice], this.recall.usageAsked ? null : undefined);
  }

  private event(choices: readonly object[], usage: object | null | undefined): void {
    const { createdSeconds, model } = this.recall;
    this.out.data({ id: this.id, object: 'chat.completion.chunk', created: createdSeconds, model, choices, usage });
  }
}
