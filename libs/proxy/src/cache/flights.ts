import type { KeptAnswer } from './kept-answer';

/** How long a call waits for another's answer. Half of what load balancers commonly give a silent connection, so that time is left to ask. */
const PATIENCE_MS = 30_000;

/** A call that can be ended while it waits. */
export interface Waiting {
  /** Called at once when it is. */
  onCut: (() => void) | null;
}

/** What a call gets of a flight: the answer, the flight to lead from now on, or null to ask for itself. */
export type Landing = KeptAnswer | Flight | null;

/** One call that is under way and those that wait for its answer. Whoever leads it ends it, in one of three ways. */
export class Flight {
  #kept: KeptAnswer | null = null;
  readonly #waiting = new Set<(landing: Landing) => void>();

  constructor(private readonly forget: (flight: Flight) => void) {}

  /** What it landed with; null while it is under way. */
  get kept(): KeptAnswer | null {
    return this.#kept;
  }

  /** Resolves when it ended, to null when that takes too long or the call is cut. */
  wait(call: Waiting, patienceMs: number): Promise<Landing> {
    return new Promise((resolve) => {
      const wake = (landing: Landing): void => {
        clearTimeout(timer);
        call.onCut = null;
        this.#waiting.delete(wake);
        resolve(landing);
      };
      const timer = setTimeout(() => {
        // Whoever comes from now on need not wait for this one.
        this.forget(this);
        wake(null);
      }, patienceMs);
      call.onCut = () => wake(null);
      this.#waiting.add(wake);
    });
  }

  /** All have the answer, and so has whoever comes before it is stored. */
  land(kept: KeptAnswer, stored: Promise<void>): void {
    this.#kept = kept;
    this.wake(kept);
    void stored.then(() => this.forget(this));
  }

  /** There was an answer that is not kept: another would most likely not be either, so each asks for itself. */
  scatter(): void {
    this.forget(this);
    this.wake(null);
  }

  /** There was no answer. One of those that wait asks, and the others wait on, so that they do not all run into the same error. */
  fail(): void {
    const [next] = this.#waiting;
    if (next) next(this);
    else this.forget(this);
  }

  private wake(landing: Landing): void {
    for (const wake of this.#waiting) wake(landing);
  }
}

/** The calls of this process whose answers may be kept, by the id of what they ask: the same is asked once at a time. */
export class Flights {
  readonly #flights = new Map<string, Flight>();

  /** @param joined told of each call that waits */
  constructor(
    private readonly joined: () => void,
    private readonly patienceMs = PATIENCE_MS,
  ) {}

  /** Waits for the call that asks the same, or leads if there is none. */
  join(id: string, call: Waiting): Promise<Landing> | Landing {
    const flight = this.#flights.get(id);
    if (flight === undefined) return this.begin(id);
    if (flight.kept !== null) return flight.kept;
    this.joined();
    return flight.wait(call, this.patienceMs);
  }

  /** For a call that wants a new answer: null if others wait for somebody else already. */
  lead(id: string): Flight | null {
    return this.#flights.get(id)?.kept === null ? null : this.begin(id);
  }

  private begin(id: string): Flight {
    const flight = new Flight((gone) => {
      if (this.#flights.get(id) === gone) this.#flights.delete(id);
    });
    this.#flights.set(id, flight);
    return flight;
  }
}
