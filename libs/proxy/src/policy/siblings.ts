import { KeySet } from '../scan/key-set';
import { kindAt, membersAt, valueOf, type Members } from '../scan/request-scan';

const NAMES = ['type', 'role', 'signature', 'media_type'] as const;
const KEYS = new KeySet(NAMES);

/** Members that say what the others are. */
export type SiblingName = (typeof NAMES)[number];

/**
 * What stands beside a text in its object. Each object is read once, however many of its texts ask: a key may come a million times,
 * and to read a body again for each would keep the process from everybody else's calls for hours.
 */
export class Siblings {
  readonly #known = new Map<number, Members | null>();

  constructor(private readonly body: Buffer) {}

  /** @param open where the object opens, or -1; undefined where a name comes twice, for then it may mean either */
  text(open: number, name: SiblingName): string | undefined {
    const member = open < 0 ? undefined : this.members(open)?.get(name);
    if (!member || kindAt(this.body, member.valueStart) !== 'string') return undefined;
    return valueOf(this.body, member) as string;
  }

  /** Nobody asks for it any more: only those that are open are kept. */
  forget(open: number): void {
    this.#known.delete(open);
  }

  private members(open: number): Members | null {
    const known = this.#known.get(open);
    if (known !== undefined) return known;
    const scanned = membersAt(this.body, open, KEYS);
    const members = scanned.ok ? scanned.object.members : null;
    this.#known.set(open, members);
    return members;
  }
}
