import type { StreamedThoughts } from '../thoughts/streamed-thoughts';
import { isJson, textOf, type EventValues, type Json } from './event-values';
import type { TextChannels } from './text-channels';
import type { WireEvents } from './wire-events';

const PIECES: ReadonlySet<string> = new Set(['content_block_start', 'content_block_delta']);
/** They do not end what is under way. */
const BETWEEN: ReadonlySet<string> = new Set(['ping', 'message_start']);

/** Events of a stream of messages. Each text stands in a block, and every string of a delta but its type is a piece of one. */
export class MessagesEvents implements WireEvents {
  constructor(
    private readonly channels: TextChannels,
    private readonly values: EventValues,
    private readonly isJson: boolean,
    private readonly thoughts: StreamedThoughts | null,
  ) {}

  *masked(event: Json): Generator<Json> {
    const type = textOf(event['type']);
    const index = Number(event['index']);
    if (PIECES.has(type)) {
      const piece = event[type === 'content_block_delta' ? 'delta' : 'content_block'];
      if (isJson(piece) && piece['type'] === 'signature_delta') {
        // A thought is over when it is signed.
        yield* this.ended(`${index}.`);
        if (this.thoughts) piece['signature'] = this.thoughts.signed(index, textOf(piece['signature']));
      }
      if (isJson(piece) && !this.piece(piece, index, type)) return;
    } else if (type === 'content_block_stop') yield* this.ended(`${index}.`);
    else if (!BETWEEN.has(type)) yield* this.ended();
    this.values.mask(event, ['delta', 'content_block']);
    if (isJson(event['delta']) && !PIECES.has(type)) this.values.mask(event['delta']);
    yield event;
  }

  ended(beginning = ''): Json[] {
    const events = this.channels.endAll((key) => key.startsWith(beginning));
    for (const { index, delta } of events)
      this.thoughts?.add(Number(index), '', isJson(delta) ? textOf(delta['thinking']) : '');
    return events;
  }

  /** Returns whether anything is left of it to be told. */
  private piece(piece: Json, index: number, event: string): boolean {
    const isDelta = event === 'content_block_delta';
    const kind = textOf(piece['type']);
    // A block may also come whole, with its signature.
    const isWhole = !isDelta && textOf(piece['signature']) !== '';
    const texts = Object.keys(piece).filter((key) =>
      isDelta ? isPiece(piece, key) : FIRST.get(kind) === key && !isWhole,
    );
    let isLeft = texts.length === 0;
    for (const key of texts) {
      const text = piece[key] as string;
      const delta = isDelta ? kind : `${kind}_delta`;
      const isJsonText = key === 'partial_json' || (this.isJson && key === 'text');
      const passed = this.channels.push(`${index}.${key}`, text, isJsonText, (rest) => ({
        ...{ type: 'content_block_delta', index },
        delta: { type: delta, [key]: rest },
      }));
      if (key === 'thinking') this.thoughts?.add(index, text, passed);
      piece[key] = passed;
      if (passed !== '' || text === '') isLeft = true;
    }
    this.values.mask(piece, texts);
    return isLeft || !isDelta;
  }
}

/** Where a block begins with some of the text that its deltas go on with. */
const FIRST: ReadonlyMap<string, string> = new Map([
  ['text', 'text'],
  ['thinking', 'thinking'],
]);

const isPiece = (piece: Json, key: string): boolean =>
  key !== 'type' && typeof piece[key] === 'string' && piece['type'] !== 'signature_delta';
