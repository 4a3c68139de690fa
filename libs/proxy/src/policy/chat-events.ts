import { isJson, textOf, type EventValues, type Json } from './event-values';
import type { TextChannels } from './text-channels';
import type { WireEvents } from './wire-events';

/** Lists of a delta whose entries are whole. What else comes in lists may be in pieces, and nobody could say how they fit. */
const WHOLE_LISTS: ReadonlySet<string> = new Set(['annotations', 'thinking_blocks']);

/** Events of a stream of chat completions. Every string of a delta but its role is a piece of a text of its choice. */
export class ChatEvents implements WireEvents {
  #head: Json = {};

  constructor(
    private readonly channels: TextChannels,
    private readonly values: EventValues,
    private readonly isJson: boolean,
  ) {}

  *masked(event: Json): Generator<Json> {
    const { id, object, created, model } = event;
    this.#head = { id, object, created, model };
    let isLeft = false;
    const choices = Array.isArray(event['choices']) ? event['choices'].filter(isJson) : [];
    for (const choice of choices) {
      const before: Json[] = [];
      if (this.choice(choice, before)) isLeft = true;
      yield* before;
    }
    this.values.mask(event, ['choices']);
    if (isLeft || choices.length === 0 || isJson(event['usage'])) yield event;
  }

  ended(): Json[] {
    return this.channels.endAll();
  }

  /** Returns whether anything is left of it to be told; `before` gets what has to be told first. */
  private choice(choice: Json, before: Json[]): boolean {
    const index = Number(choice['index'] ?? 0);
    const isLast = choice['finish_reason'] !== null && choice['finish_reason'] !== undefined;
    const delta = isJson(choice['delta']) ? choice['delta'] : {};
    const used = new Set<string>();
    let isLeft = isLast;
    const piece = (holder: Json, key: string, field: string, name: string, event: (text: string) => Json): void => {
      const text = holder[key] as string;
      if (text === '') return;
      const channel = `${index}.${field}.${name}`;
      used.add(field);
      const isJsonText = key === 'arguments' || (this.isJson && field === 'content');
      const passed = this.channels.push(channel, text, isJsonText, (rest) => this.chunk(index, event(rest)));
      holder[key] = isLast ? passed + this.channels.end(channel) : passed;
      if (holder[key] !== '') isLeft = true;
    };

    for (const key of Object.keys(delta)) {
      const value = delta[key];
      if (key === 'role') isLeft = true;
      else if (typeof value === 'string') piece(delta, key, key, '', (rest) => ({ [key]: rest }));
      else if (key === 'tool_calls' && Array.isArray(value)) {
        for (const call of value.filter(isJson)) isLeft = this.call(call, piece) || isLeft;
      } else if (key === 'function_call' && isJson(value)) {
        if (textOf(value['arguments']) !== '')
          piece(value, 'arguments', key, '', (rest) => ({ function_call: { arguments: rest } }));
        this.values.mask(value, ['arguments']);
        if (value['name'] !== undefined) isLeft = true;
      } else if (Array.isArray(value) && !WHOLE_LISTS.has(key)) delete delta[key];
      else if (typeof value === 'object' && value !== null) {
        const holder = { [key]: key === 'thinking_blocks' ? wholeThoughts(value) : value };
        this.values.mask(holder);
        delta[key] = holder[key];
        isLeft = true;
      }
    }
    if (choice['logprobs'] !== undefined) choice['logprobs'] = null;
    this.values.mask(choice, ['delta']);
    // One field is over where another begins, and all are with the choice.
    const isOver = (key: string): boolean =>
      key.startsWith(`${index}.`) && (isLast || (used.size > 0 && !used.has(key.split('.', 2)[1] as string)));
    before.push(...this.channels.endAll(isOver));
    return isLeft;
  }

  private call(call: Json, piece: Piece): boolean {
    const { index } = call;
    const { function: called, custom } = call;
    const name = String(index);
    if (isJson(called) && typeof called['arguments'] === 'string')
      piece(called, 'arguments', 'tool_calls', name, (rest) => ({
        tool_calls: [{ index, function: { arguments: rest } }],
      }));
    if (isJson(custom) && typeof custom['input'] === 'string')
      piece(custom, 'input', 'tool_calls', name, (rest) => ({ tool_calls: [{ index, custom: { input: rest } }] }));
    this.values.mask(call, ['function', 'custom']);
    if (isJson(called)) this.values.mask(called, ['arguments']);
    if (isJson(custom)) this.values.mask(custom, ['input']);
    return call['id'] !== undefined;
  }

  private chunk(index: number, delta: Json): Json {
    return { ...this.#head, choices: [{ index, delta, logprobs: null, finish_reason: null }] };
  }
}

/** A thought that is whole is signed. Some servers also send it in pieces, which `reasoning_content` says as well. */
const wholeThoughts = (blocks: unknown): unknown =>
  Array.isArray(blocks)
    ? blocks.filter((block) => isJson(block) && (block['type'] !== 'thinking' || textOf(block['signature']) !== ''))
    : [];

type Piece = (holder: Json, key: string, field: string, name: string, event: (text: string) => Json) => void;
