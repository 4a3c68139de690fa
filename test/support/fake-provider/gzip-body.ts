import { once } from 'node:events';
import { constants, createGzip } from 'node:zlib';

/** A body compressed as it is written: what was added can be read at once, as streaming providers send it. */
export class GzipBody {
  private readonly gzip = createGzip();
  private readonly ready: Buffer[] = [];

  constructor() {
    this.gzip.on('data', (bytes: Buffer) => this.ready.push(bytes));
  }

  /** The compressed bytes that carry everything added so far. */
  async add(bytes: Buffer): Promise<Buffer> {
    this.gzip.write(bytes);
    await new Promise<void>((resolve) => this.gzip.flush(constants.Z_SYNC_FLUSH, resolve));
    return this.take();
  }

  /** The last compressed bytes, with the checksum. */
  async end(bytes: Buffer = Buffer.alloc(0)): Promise<Buffer> {
    const ended = once(this.gzip, 'end');
    this.gzip.end(bytes);
    await ended;
    return this.take();
  }

  private take(): Buffer {
    return Buffer.concat(this.ready.splice(0));
  }
}
