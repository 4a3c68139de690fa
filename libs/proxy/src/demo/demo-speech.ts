import { newId } from '@app/platform';

const ANSWER =
  'This is local/demo, the built-in demonstration of OpenClawMU. No language model stands behind it: the answer is always the same. ' +
  'But everything around it is real. Your token was checked, the worst case of this request was held against the budget, ' +
  'these words were streamed and counted, and the cost is in the ledger by the time you read the last one. ' +
  'Ask your administrator to configure a provider for real answers.';

/** What of a request decides what is said. */
export interface SpeechAsked {
  readonly max_tokens?: unknown;
  readonly max_completion_tokens?: unknown;
  readonly max_output_tokens?: unknown;
  readonly stream_options?: { include_usage?: unknown } | null;
}

/** The answer as one wire writes it down. */
export interface Speech {
  whole(): unknown;
  events(): Iterable<string>;
}

/** @param prompt tokens of the input */
export function speechFor(url: string, asked: SpeechAsked, prompt: number): Speech {
  const limit = Number(asked.max_output_tokens ?? asked.max_completion_tokens ?? asked.max_tokens ?? Infinity);
  const words = ANSWER.split(/(?<= )/).slice(0, limit);
  if (url.startsWith('/v1/messages')) return new MessageSpeech(words, prompt);
  return url.startsWith('/v1/responses') ? new ResponseSpeech(words, prompt) : new ChatSpeech(words, prompt, asked);
}

class ChatSpeech implements Speech {
  private readonly id = newId('chatcmpl');
  private readonly created = Math.floor(Date.now() / 1000);

  constructor(
    private readonly words: readonly string[],
    private readonly prompt: number,
    private readonly asked: SpeechAsked,
  ) {}

  whole(): unknown {
    const message = { role: 'assistant', content: this.words.join('').trimEnd(), refusal: null };
    return {
      ...this.head('chat.completion'),
      choices: [{ index: 0, message, logprobs: null, finish_reason: this.reason }],
      usage: this.usage(),
    };
  }

  *events(): Generator<string> {
    yield this.chunk({ role: 'assistant', content: '' }, null);
    for (const word of this.words) yield this.chunk({ content: word }, null);
    yield this.chunk({}, this.reason);
    if (this.asked.stream_options?.include_usage === true)
      yield data({ ...this.head('chat.completion.chunk'), choices: [], usage: this.usage() });
    yield 'data: [DONE]\n\n';
  }

  private get reason(): string {
    return this.words.join('') === ANSWER ? 'stop' : 'length';
  }

  private head(object: string): object {
    return { id: this.id, object, created: this.created, model: 'demo' };
  }

  private chunk(delta: object, finish: string | null): string {
    return data({ ...this.head('chat.completion.chunk'), choices: [{ index: 0, delta, finish_reason: finish }] });
  }

  private usage(): object {
    const [prompt, completion] = [this.prompt, this.words.length];
    return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
  }
}

class MessageSpeech implements Speech {
  private readonly id = newId('msg');

  constructor(
    private readonly words: readonly string[],
    private readonly prompt: number,
  ) {}

  whole(): unknown {
    const content = [{ type: 'text', text: this.words.join('').trimEnd() }];
    return {
      ...this.head(),
      content,
      stop_reason: this.reason,
      usage: { input_tokens: this.prompt, output_tokens: this.words.length },
    };
  }

  *events(): Generator<string> {
    yield named({
      type: 'message_start',
      message: {
        ...this.head(),
        content: [],
        stop_reason: null,
        usage: { input_tokens: this.prompt, output_tokens: 1 },
      },
    });
    yield named({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } });
    for (const text of this.words)
      yield named({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } });
    yield named({ type: 'content_block_stop', index: 0 });
    yield named({
      type: 'message_delta',
      delta: { stop_reason: this.reason, stop_sequence: null },
      usage: { output_tokens: this.words.length },
    });
    yield named({ type: 'message_stop' });
  }

  private get reason(): string {
    return this.words.join('') === ANSWER ? 'end_turn' : 'max_tokens';
  }

  private head(): object {
    return { id: this.id, type: 'message', role: 'assistant', model: 'demo', stop_sequence: null };
  }
}

class ResponseSpeech implements Speech {
  private readonly id = newId('resp');
  private readonly item = newId('msg');
  private readonly created = Math.floor(Date.now() / 1000);

  constructor(
    private readonly words: readonly string[],
    private readonly prompt: number,
  ) {}

  whole(): unknown {
    const isWhole = this.words.join('') === ANSWER;
    const [input, output] = [this.prompt, this.words.length];
    return {
      ...this.head(isWhole ? 'completed' : 'incomplete'),
      incomplete_details: isWhole ? null : { reason: 'max_output_tokens' },
      output: [this.message(isWhole ? 'completed' : 'incomplete', [this.part()])],
      usage: {
        input_tokens: input,
        input_tokens_details: { cached_tokens: 0 },
        output_tokens: output,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: input + output,
      },
    };
  }

  *events(): Generator<string> {
    let number = 0;
    const event = (type: string, more: object): string => named({ type, sequence_number: number++, ...more });
    const at = { item_id: this.item, output_index: 0, content_index: 0 };
    const text = this.part().text;
    const response = this.whole() as { status: string; output: readonly object[] };
    const begun = { ...this.head('in_progress'), incomplete_details: null, output: [], usage: null };
    yield event('response.created', { response: begun });
    yield event('response.in_progress', { response: begun });
    yield event('response.output_item.added', { output_index: 0, item: this.message('in_progress', []) });
    yield event('response.content_part.added', { ...at, part: { ...this.part(), text: '' } });
    for (const delta of this.words) yield event('response.output_text.delta', { ...at, delta, logprobs: [] });
    yield event('response.output_text.done', { ...at, text, logprobs: [] });
    yield event('response.content_part.done', { ...at, part: this.part() });
    yield event('response.output_item.done', { output_index: 0, item: response.output[0] });
    yield event(`response.${response.status}`, { response });
  }

  private part() {
    return { type: 'output_text', text: this.words.join('').trimEnd(), annotations: [], logprobs: [] };
  }

  private message(status: string, content: readonly object[]): object {
    return { id: this.item, type: 'message', status, role: 'assistant', content };
  }

  private head(status: string): object {
    const settings = { instructions: null, tools: [], tool_choice: 'auto', parallel_tool_calls: true, metadata: {} };
    const head = { id: this.id, object: 'response', created_at: this.created, model: 'demo', status, store: false };
    return { ...head, error: null, ...settings };
  }
}

const data = (event: object): string => `data: ${JSON.stringify(event)}\n\n`;
const named = (event: { type: string; [field: string]: unknown }): string => `event: ${event.type}\n${data(event)}`;
