import { NO_USAGE, type Logprobs, type Recall, type Stop, type Usage } from '../reply';
import type { BlockHead, StreamWriter } from '../reply-stream';
import { pack, type Seal } from '../seal';
import type { SseWriter } from '../sse-writer';
import { writeMessagesUsage } from './usage';
import { fullUsage, messageHead, stopReason, writeThought } from './write-reply';

/** Writes a stream of Anthropic's messages. */
export class MessagesStreamWriter implements StreamWriter {
  private index = -1;
  private refused = false;

  constructor(
    private readonly recall: Recall,
    private readonly out: SseWriter,
  ) {}

  begin(id: string, counted: Usage | null): void {
    // SDKs take from the end what is known only there; some programs look for the input here and nowhere else.
    const usage = fullUsage(writeMessagesUsage({ ...(counted ?? NO_USAGE), output: 0, reasoning: 0 }));
    this.out.named('message_start', { message: { ...messageHead(id, this.recall), usage } });
  }

  open(block: BlockHead): void {
    this.index += 1;
    this.refused ||= block.kind === 'refusal';
    this.event('content_block_start', { content_block: startOf(block) });
  }

  delta(block: BlockHead, text: string, _: Logprobs | undefined): void {
    this.event('content_block_delta', { delta: deltaOf(block, text) });
  }

  close(block: BlockHead, seal: Seal | null): void {
    if (block.kind === 'thinking' && seal)
      this.event('content_block_delta', { delta: { type: 'signature_delta', signature: pack(seal, 'messages') } });
    this.event('content_block_stop', {});
  }

  end(stop: Stop, stopSequence: string | null, usage: Usage | null): void {
    const delta = {
      stop_reason: stopReason(stop, this.refused),
      stop_sequence: stopSequence,
      stop_details: null,
      container: null,
    };
    this.out.named('message_delta', { delta, usage: writeMessagesUsage(usage ?? NO_USAGE) });
    this.out.named('message_stop', {});
  }

  private event(type: string, members: object): void {
    this.out.named(type, { index: this.index, ...members });
  }
}

function startOf(block: BlockHead): object {
  switch (block.kind) {
    case 'text':
    case 'refusal':
      return { type: 'text', text: '', citations: null };
    case 'thinking':
      return writeThought('', null);
    case 'call':
      return { type: 'tool_use', id: block.id, name: block.name, input: {} };
  }
}

function deltaOf(block: BlockHead, text: string): object {
  if (block.kind === 'thinking') return { type: 'thinking_delta', thinking: text };
  if (block.kind === 'call') return { type: 'input_json_delta', partial_json: text };
  return { type: 'text_delta', text };
}
