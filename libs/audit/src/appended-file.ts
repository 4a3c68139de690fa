import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A file that only grows, by whole lines. */
export class AppendedFile {
  private constructor(
    readonly path: string,
    private readonly handle: FileHandle,
    private length: number,
  ) {}

  /** Opens or makes the file, readable for its group (0640): forwarders seldom run as we do. */
  static async open(path: string): Promise<AppendedFile> {
    const handle = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_APPEND, 0o640);
    const { size } = await handle.stat();
    if (size === 0) await syncFolder(dirname(path));
    return new AppendedFile(path, handle, size);
  }

  get size(): number {
    return this.length;
  }

  /** False once somebody else wrote to it, cut it or removed it. */
  async isOurs(): Promise<boolean> {
    const { size, nlink } = await this.handle.stat();
    return size === this.length && nlink > 0;
  }

  /** Appends and resolves when it is on the disk. After an error the end of the file is unknown: open it again. */
  async append(lines: readonly string[]): Promise<void> {
    const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
    await this.handle.appendFile(bytes);
    await this.handle.datasync();
    this.length += bytes.length;
  }

  async truncate(size: number): Promise<void> {
    await this.handle.truncate(size);
    await this.handle.datasync();
    this.length = size;
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}

/** Without this a power failure may forget that the file exists. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
