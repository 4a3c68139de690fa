import { MaskedJson, MaskedText, type Findings, type MaskedStream, type Scanner } from '@app/policy';
import type { Json } from './event-values';

interface Channel {
  readonly stream: MaskedStream;
  /** An event that brings a piece of this text, for what was held back of it. */
  readonly event: (text: string) => Json;
}

/** The texts of a stream that are under way, each in pieces of its own: by block, choice or call. */
export class TextChannels {
  readonly #channels = new Map<string, Channel>();

  constructor(
    private readonly scanner: Scanner,
    private readonly findings: Findings,
  ) {}

  /**
   * What may pass of a text by now.
   * @param key names the text; keys of one block begin alike
   * @param event makes an event for the rest, should the text end with something held back
   */
  push(key: string, text: string, isJson: boolean, event: (text: string) => Json): string {
    let channel = this.#channels.get(key);
    if (!channel) {
      const stream = new (isJson ? MaskedJson : MaskedText)(this.scanner, this.findings);
      channel = { stream, event };
      this.#channels.set(key, channel);
    }
    return channel.stream.push(text);
  }

  /** The rest of a text that ends here; empty where there is none. */
  end(key: string): string {
    const channel = this.#channels.get(key);
    this.#channels.delete(key);
    return channel?.stream.end() ?? '';
  }

  /** Ends the texts whose keys are meant, and makes events of what was held back of them. */
  endAll(isMeant: (key: string) => boolean = () => true): Json[] {
    return [...this.#channels].flatMap(([key, { stream, event }]) => {
      if (!isMeant(key)) return [];
      this.#channels.delete(key);
      const rest = stream.end();
      return rest === '' ? [] : [event(rest)];
    });
  }
}
