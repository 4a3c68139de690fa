/** V8 judges when it makes the seventh; one more, so as not to depend on which side of that it looks. */
const SETTLED_AFTER = 8;

/**
 * Keeps the first objects of a kind, and all they hold, until V8 has settled how large to make those of these kinds. It begins with much room for
 * members, and soon takes back what none of the first has used. If a collection of garbage has just taken these along, that is all of it: later
 * ones keep their members elsewhere, those with many in a dictionary, for as long as the process lives. That is a quarter of a call's CPU.
 */
export class FirstInstances {
  #kept: object[] | null = [];

  get areSettled(): boolean {
    return this.#kept === null;
  }

  keep(instance: object): void {
    if (this.#kept?.push(instance) === SETTLED_AFTER) this.#kept = null;
  }
}
