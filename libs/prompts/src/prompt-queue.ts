import type { PromptEntry } from './prompt-entry';

const sizeOf = ({ request, answer }: PromptEntry): number => request.length + answer.length;

/** Entries that wait to be written, bounded in bytes. */
export class PromptQueue {
  #waiting: PromptEntry[] = [];
  #bytes = 0;

  get length(): number {
    return this.#waiting.length;
  }

  /** False if there is no room for it. */
  add(entry: PromptEntry, mostBytes: number): boolean {
    const size = sizeOf(entry);
    if (this.#bytes + size > mostBytes) return false;
    this.#bytes += size;
    this.#waiting.push(entry);
    return true;
  }

  /** Those that have waited longest; they stay until they are done with. */
  first(most: number): readonly PromptEntry[] {
    return this.#waiting.slice(0, most);
  }

  done(count: number): void {
    for (const entry of this.#waiting.splice(0, count)) this.#bytes -= sizeOf(entry);
  }
}
