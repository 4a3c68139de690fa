/** Work in steps of a few milliseconds at most, between any two of which others may be served. */
export type Steps<T> = Generator<undefined, T, undefined>;

/** How long work goes on before it is somebody else's turn: a few steps at least, little beside a network's delay. */
const TURN_MS = 4;

interface Job {
  readonly steps: Steps<unknown>;
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

/**
 * One thread's long work for many tenants. A tenant's jobs are done one after another, tenants take turns, and between any two turns
 * the event loop comes to whatever else waits; so nobody waits for more than a turn of another tenant, however much work it brought.
 */
export class Turns {
  /** In the order in which it is their turn. */
  readonly #waiting = new Map<string, Job[]>();

  /** The first step is done at once, so short work is over when this returns. @throws what the steps throw */
  run<T>(tenantId: string, steps: Steps<T>): T | Promise<T> {
    const first = steps.next();
    if (first.done) return first.value;
    return new Promise<T>((resolve, reject) => this.wait(tenantId, { steps, resolve, reject }));
  }

  private wait(tenantId: string, job: Job): void {
    const jobs = this.#waiting.get(tenantId);
    if (jobs) jobs.push(job);
    else this.#waiting.set(tenantId, [job]);
    if (!jobs && this.#waiting.size === 1) setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    const [next] = this.#waiting;
    if (!next) return;
    const [tenantId, jobs] = next;
    const start = performance.now();
    while (jobs.length > 0 && performance.now() - start < TURN_MS) if (isOver(jobs[0] as Job)) jobs.shift();
    this.#waiting.delete(tenantId);
    if (jobs.length > 0) this.#waiting.set(tenantId, jobs);
    if (this.#waiting.size > 0) setImmediate(this.#turn);
  };
}

/** Does the next step of a job; whether it was the last. */
function isOver({ steps, resolve, reject }: Job): boolean {
  try {
    const next = steps.next();
    if (next.done) resolve(next.value as never);
    return next.done === true;
  } catch (error) {
    reject(error as Error);
    return true;
  }
}

/** Does all steps at once. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const next = steps.next();
    if (next.done) return next.value;
  }
}
