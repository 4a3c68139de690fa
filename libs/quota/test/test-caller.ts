import type { Caller } from '../src/pool';

/** A call that ends when told to. */
export class TestCaller implements Caller {
  cutBy: Error | null = null;
  onCut: (() => void) | null = null;

  cut(): void {
    this.cutBy = new Error('left');
    this.onCut?.();
  }
}

/** One turn of the event loop: all that follows from what has happened already is done. */
export const turn = (): Promise<void> => new Promise((done) => setImmediate(done));
