/** A place where files appear whole or not at all. */
export interface Destination {
  /**
   * Writes a file, or replaces it, as fast as it is read and no faster. A source that throws, even at its very end, leaves
   * everything as it was.
   * @param path relative, with forward slashes
   * @param signal breaks it off
   */
  write(path: string, chunks: AsyncIterable<string>, signal: AbortSignal): Promise<void>;
}
