import { writeExact } from './exact-json';

const NOTHING = Buffer.alloc(0);

/** Gathers what is written of a stream until it is taken. */
export class SseWriter {
  private out = '';

  /** An event as OpenAI's chat completions write it: data and no name. */
  data(data: object): void {
    this.out += `data: ${writeExact(data)}\n\n`;
  }

  /** An event that is also named by its type. */
  named(type: string, members: object): void {
    this.out += `event: ${type}\ndata: ${writeExact({ type, ...members })}\n\n`;
  }

  word(word: string): void {
    this.out += `data: ${word}\n\n`;
  }

  take(): Buffer {
    if (this.out === '') return NOTHING;
    const bytes = Buffer.from(this.out, 'utf8');
    this.out = '';
    return bytes;
  }
}
