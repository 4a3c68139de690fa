/**
 * Things that come in one by one and are worked on together, behind all else that this turn of the event loop brings: one after the
 * other goes through the same code, which the processor then has at hand.
 */
export class Cohort<Member> {
  #waiting: Member[] = [];

  /** @param work must not throw: the others would be left behind */
  constructor(private readonly work: (member: Member) => void) {}

  add(member: Member): void {
    if (this.#waiting.push(member) > 1 || gathered.push(this.#workOnAll) > 1) return;
    setImmediate(workOnCohorts);
    setImmediate(endTurn);
    endsToCome++;
  }

  readonly #workOnAll = (): void => {
    const members = this.#waiting;
    this.#waiting = [];
    for (const member of members) this.work(member);
  };
}

type Work = () => void;

/** Of the cohorts that have members. */
let gathered: Work[] = [];
/** What is to be done when they have been worked on. */
let endings: Work[] = [];
let endsToCome = 0;

/**
 * Does something behind the cohorts of this turn, and behind all that follows from them without waiting: once for all of it, and in this
 * turn still, where `setImmediate` would leave it to the next.
 * @param work must not throw
 */
export function behindCohorts(work: Work): void {
  if (endsToCome === 0) setImmediate(work);
  else endings.push(work);
}

function workOnCohorts(): void {
  const works = gathered;
  gathered = [];
  for (const work of works) work();
}

function endTurn(): void {
  endsToCome--;
  const works = endings;
  endings = [];
  for (const work of works) work();
}
