import { setTimeout as delay } from 'node:timers/promises';
import { fakeProviders } from '../department';
import type { FakeProvider } from '../fake-provider';
import { Gateway, type Place } from '../gateway';

const RETRY_MS = 250;
/** Shorter than a proof's patience: a silent provider is given up soon. */
const TIMEOUTS = { firstByteMs: 1_500, idleMs: 1_500 };

/** Several gateway processes of one place, each of which may be killed and is then started again. */
export class Fleet {
  private readonly running: (Gateway | undefined)[] = [];
  private closing = false;

  private constructor(
    private readonly place: Place,
    private readonly provider: FakeProvider,
  ) {}

  static async start(place: Place, provider: FakeProvider, size: number): Promise<Fleet> {
    const fleet = new Fleet(place, provider);
    for (let index = 0; index < size; index++) fleet.running[index] = await fleet.launch();
    return fleet;
  }

  get alive(): readonly Gateway[] {
    return this.running.filter((gateway) => gateway !== undefined);
  }

  /** `kill -9` of one, which comes back at once, or as soon as its database does. */
  async killOne(index: number): Promise<void> {
    const victim = this.running[index];
    if (!victim) return;
    this.running[index] = undefined;
    await victim.kill();
    while (!this.running[index] && !this.closing)
      this.running[index] = await this.launch().catch(async () => {
        await delay(RETRY_MS);
        return undefined;
      });
  }

  /** Stops one in its tracks for a while, as a machine that swaps or is moved does: it is slow, and not dead. */
  async pauseOne(index: number, ms: number): Promise<void> {
    const victim = this.running[index];
    if (!victim?.process.kill('SIGSTOP')) return;
    await delay(ms);
    victim.process.kill('SIGCONT');
  }

  /** Asks all of them to end in good order. @returns their exit codes */
  async stop(): Promise<(number | null)[]> {
    this.closing = true;
    return Promise.all(this.alive.map((gateway) => gateway.stop()));
  }

  /** For the end of a proof that failed halfway. */
  async kill(): Promise<void> {
    this.closing = true;
    await Promise.all(this.alive.map((gateway) => gateway.kill()));
  }

  private launch(): Promise<Gateway> {
    return Gateway.start({
      place: this.place,
      providers: fakeProviders(this.provider, TIMEOUTS),
      config: { logging: { level: 'error' } },
    });
  }
}
