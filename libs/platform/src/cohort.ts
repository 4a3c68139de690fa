/**
 * Things that come in one by one and are worked on together, behind all else that this turn of the event loop brings: one after the
 * other goes through the same code, which the processor then has at hand.
 */
export class Cohort<Member> {
  #waiting: Member[] = [];

  /** @param work must not throw: the others would be left behind */
  constructor(private readonly work: (member: Member) => void) {}

  add(member: Member): void {
    if (this.#waiting.push(member) === 1) setImmediate(this.#workOnAll);
  }

  readonly #workOnAll = (): void => {
    const members = this.#waiting;
    this.#waiting = [];
    for (const member of members) this.work(member);
  };
}
