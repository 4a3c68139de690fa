/** A line of a bill or of its digests, by request id. */
export interface KnownLine {
  readonly number: number;
  readonly requestId: string;
  readonly digest: string;
}

/**
 * Finds which lines of two listings belong together, in one pass: both have nearly the same order, so only lines that
 * found no partner yet are kept.
 */
export class LineMatch {
  readonly #expected = new Map<string, KnownLine[]>();
  readonly #found = new Map<string, KnownLine[]>();

  /** @param onAltered what to do with a line whose digest is another than expected */
  constructor(private readonly onAltered: (found: KnownLine) => void) {}

  expect(line: KnownLine): void {
    const found = take(this.#found, line.requestId);
    if (found) this.compare(line, found);
    else put(this.#expected, line);
  }

  find(line: KnownLine): void {
    const expected = take(this.#expected, line.requestId);
    if (expected) this.compare(expected, line);
    else put(this.#found, line);
  }

  /** Expected and not found. */
  get missing(): KnownLine[] {
    return [...this.#expected.values()].flat();
  }

  /** Found and not expected. */
  get added(): KnownLine[] {
    return [...this.#found.values()].flat();
  }

  private compare(expected: KnownLine, found: KnownLine): void {
    if (expected.digest !== found.digest) this.onAltered(found);
  }
}

function put(lines: Map<string, KnownLine[]>, line: KnownLine): void {
  const same = lines.get(line.requestId);
  if (same) same.push(line);
  else lines.set(line.requestId, [line]);
}

function take(lines: Map<string, KnownLine[]>, requestId: string): KnownLine | undefined {
  const same = lines.get(requestId);
  const line = same?.shift();
  if (same?.length === 0) lines.delete(requestId);
  return line;
}
