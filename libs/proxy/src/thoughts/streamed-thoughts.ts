import { toldThought, type SealSignature } from './signed-thought';

interface Thought {
  written: string;
  told: string;
}

/** The thoughts of a stream of messages that are under way, as they are written and as they are told, until their signatures come. */
export class StreamedThoughts {
  readonly #thoughts = new Map<number, Thought>();

  constructor(private readonly seal: SealSignature) {}

  /** A piece as it came, and what is told with it, which may be of an earlier one. @param index of the block */
  add(index: number, written: string, told: string): void {
    const thought = this.of(index);
    thought.written += written;
    thought.told += told;
  }

  /** What stands in the place of the signature. */
  signed(index: number, signature: string): string {
    const { written, told } = this.of(index);
    const thought = toldThought({ type: 'thinking', thinking: written, signature }, 'messages');
    return thought ? this.seal(thought, [told]) : signature;
  }

  private of(index: number): Thought {
    let thought = this.#thoughts.get(index);
    if (!thought) this.#thoughts.set(index, (thought = { written: '', told: '' }));
    return thought;
  }
}
