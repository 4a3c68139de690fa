const LF = 0x0a;
const CR = 0x0d;

/** A partial line longer than this is no longer kept; it still passes to the client. Usage lines stay below 4 KiB. */
export const MAX_LINE_BYTES = 1024 * 1024;

/** Takes lines one by one; an object and not a function, so that no request has to make a closure. */
export interface LineSink {
  /** A line from `start` to `end` of `buffer`, line end excluded; `next` is where, in the chunk, the next line starts. */
  line(buffer: Buffer, start: number, end: number, next: number): void;
}

/**
 * Cuts a stream of chunks into lines. A line that is whole in its chunk is handed over in place, without a copy; only
 * one that crosses chunks is joined. Line ends are LF and CRLF; no provider sends a lone CR.
 */
export class SseLines {
  /** The partial line so far, in pieces. */
  private pieces: Buffer[] = [];
  private pending = 0;
  private overlong = false;
  /** Lines that were too long to be read. */
  skipped = 0;

  constructor(private readonly maxLineBytes = MAX_LINE_BYTES) {}

  /** Hands each line that ends in this chunk to the sink. */
  push(chunk: Buffer, sink: LineSink): void {
    let at = 0;
    for (;;) {
      const feed = chunk.indexOf(LF, at);
      if (feed < 0) break;
      if (this.pending === 0 && !this.overlong) sink.line(chunk, at, withoutCr(chunk, at, feed), feed + 1);
      else this.join(chunk, at, feed, sink);
      at = feed + 1;
    }
    if (at < chunk.length) this.keep(at === 0 ? chunk : chunk.subarray(at));
  }

  /** The partial line that waits for its end, as far as it is kept. */
  rest(): Buffer {
    return this.pieces.length === 1 ? this.pieces[0]! : Buffer.concat(this.pieces);
  }

  /** At most so many bytes of its beginning. */
  start(bytes: number): Buffer {
    const [first] = this.pieces;
    return first && first.length >= bytes ? first.subarray(0, bytes) : this.rest().subarray(0, bytes);
  }

  /** Bytes that wait for their line's end; 0 at the start of a line. Endless lines stay at the last value kept. */
  get waiting(): number {
    return this.pending;
  }

  private join(chunk: Buffer, at: number, feed: number, sink: LineSink): void {
    const whole = Buffer.concat([...this.pieces, chunk.subarray(at, feed)]);
    const readable = !this.overlong;
    this.pieces = [];
    this.pending = 0;
    this.overlong = false;
    if (readable) sink.line(whole, 0, withoutCr(whole, 0, whole.length), feed + 1);
    else this.skipped += 1;
  }

  private keep(piece: Buffer): void {
    if (this.overlong) return;
    if (this.pending + piece.length > this.maxLineBytes) {
      this.overlong = true;
      this.pieces = [];
      this.pending = 0;
      return;
    }
    this.pieces.push(piece);
    this.pending += piece.length;
  }
}

const withoutCr = (buffer: Buffer, start: number, end: number): number =>
  end > start && buffer[end - 1] === CR ? end - 1 : end;
