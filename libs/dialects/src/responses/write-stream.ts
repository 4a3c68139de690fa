import { CustomInput } from '../custom-input';
import type { Logprobs, Recall, ReplyPart, Stop, Usage } from '../reply';
import type { BlockHead, StreamWriter } from '../reply-stream';
import type { Seal } from '../seal';
import type { SseWriter } from '../sse-writer';
import { callItem, itemId, messageItem, responseId, textPart, writeItem, writeResponse } from './write-reply';

/** Writes a stream of OpenAI's responses: each block is an item of the output, told as it grows and once more whole. */
export class ResponsesStreamWriter implements StreamWriter {
  private id = '';
  private sequence = 0;
  private readonly output: object[] = [];
  private item = '';
  private text = '';
  private logprobs: unknown[] = [];
  private custom: CustomInput | null = null;
  private summarised = false;

  constructor(
    private readonly recall: Recall,
    private readonly out: SseWriter,
  ) {}

  begin(id: string): void {
    this.id = responseId(id || this.recall.fallbackId);
    const response = writeResponse(this.id, [], null, null, this.recall);
    this.event('response.created', { response });
    this.event('response.in_progress', { response });
  }

  open(block: BlockHead): void {
    this.item = itemId(block.kind, this.id, this.output.length);
    this.text = '';
    this.logprobs = [];
    this.summarised = false;
    this.custom = block.kind === 'call' && this.recall.customTools.has(block.name) ? new CustomInput() : null;
    this.event('response.output_item.added', { output_index: this.output.length, item: this.opened(block) });
    if (block.kind === 'text' || block.kind === 'refusal')
      this.content('response.content_part.added', { part: this.part(block) });
  }

  delta(block: BlockHead, text: string, logprobs: Logprobs | undefined): void {
    this.text += text;
    switch (block.kind) {
      case 'text':
        if (logprobs) this.logprobs.push(...logprobs);
        return this.content('response.output_text.delta', { delta: text, logprobs: logprobs ?? [] });
      case 'refusal':
        return this.content('response.refusal.delta', { delta: text });
      case 'thinking':
        if (!this.summarised) {
          this.summarised = true;
          this.summary('response.reasoning_summary_part.added', { part: { type: 'summary_text', text: '' } });
        }
        return this.summary('response.reasoning_summary_text.delta', { delta: text });
      case 'call': {
        if (!this.custom) return this.own('response.function_call_arguments.delta', { delta: text });
        return this.customInput(this.custom.push(text));
      }
    }
  }

  close(block: BlockHead, seal: Seal | null): void {
    if (this.custom) this.customInput(this.custom.end());
    const item = writeItem(this.whole(block, seal), this.item, this.recall);
    switch (block.kind) {
      case 'text':
        this.content('response.output_text.done', { text: this.text, logprobs: this.logprobs });
        this.content('response.content_part.done', { part: this.part(block) });
        break;
      case 'refusal':
        this.content('response.refusal.done', { refusal: this.text });
        this.content('response.content_part.done', { part: this.part(block) });
        break;
      case 'thinking':
        if (!this.summarised) break;
        this.summary('response.reasoning_summary_text.done', { text: this.text });
        this.summary('response.reasoning_summary_part.done', { part: { type: 'summary_text', text: this.text } });
        break;
      case 'call':
        if (this.custom) this.own('response.custom_tool_call_input.done', { input: item['input'] });
        else this.own('response.function_call_arguments.done', { name: item['name'], arguments: this.text });
    }
    this.event('response.output_item.done', { output_index: this.output.length, item });
    this.output.push(item);
  }

  end(stop: Stop, _: string | null, usage: Usage | null): void {
    const response = writeResponse(this.id, this.output, stop, usage, this.recall);
    this.event(response['status'] === 'completed' ? 'response.completed' : 'response.incomplete', { response });
  }

  private opened(block: BlockHead): object {
    switch (block.kind) {
      case 'text':
      case 'refusal':
        return messageItem(this.item, 'in_progress', []);
      case 'thinking':
        return { id: this.item, type: 'reasoning', summary: [] };
      case 'call':
        return callItem(this.item, 'in_progress', { ...block, args: '' }, this.recall);
    }
  }

  private whole(block: BlockHead, seal: Seal | null): ReplyPart {
    const { text } = this;
    if (block.kind === 'call')
      return { ...block, args: this.custom ? JSON.stringify({ input: this.custom.input }) : text };
    if (block.kind === 'thinking') return { kind: 'thinking', text, seal };
    if (block.kind === 'refusal') return { kind: 'refusal', text };
    return { kind: 'text', text, ...(this.logprobs.length > 0 && { logprobs: this.logprobs }) };
  }

  private part(block: BlockHead): object {
    return block.kind === 'refusal' ? { type: 'refusal', refusal: this.text } : textPart(this.text, this.logprobs);
  }

  private customInput(delta: string): void {
    if (delta !== '') this.own('response.custom_tool_call_input.delta', { delta });
  }

  private content(type: string, members: object): void {
    this.own(type, { content_index: 0, ...members });
  }

  private summary(type: string, members: object): void {
    this.own(type, { summary_index: 0, ...members });
  }

  private own(type: string, members: object): void {
    this.event(type, { item_id: this.item, output_index: this.output.length, ...members });
  }

  private event(type: string, members: object): void {
    this.out.named(type, { sequence_number: this.sequence, ...members });
    this.sequence += 1;
  }
}
