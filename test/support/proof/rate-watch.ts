import { setTimeout as delay } from 'node:timers/promises';
import { Onlooker } from './onlooker';

/** The gateways forget a minute after ten. */
const PAUSE_MS = 1_000;

/** Calls of a minute that gateways have taken of a limit. */
export interface RateMinute {
  readonly key: string;
  readonly minute: string;
  readonly most: number;
  readonly taken: number;
}

/** Keeps what the gateways count of each minute, which they forget themselves. */
export class RateWatch {
  private readonly minutes = new Map<string, RateMinute>();
  private stopping = false;
  private readonly running: Promise<void>;

  constructor(superuserUrl: string) {
    this.running = this.watch(new Onlooker(superuserUrl));
  }

  async stop(): Promise<RateMinute[]> {
    this.stopping = true;
    await this.running;
    return [...this.minutes.values()];
  }

  private async watch(onlooker: Onlooker): Promise<void> {
    for (let last = false; !last; await delay(PAUSE_MS)) {
      last = this.stopping;
      const rows = await onlooker.query<RateMinute>('SELECT key, minute::text, most, taken FROM request_minutes');
      for (const row of rows ?? []) this.minutes.set(`${row.key} ${row.minute}`, row);
    }
    await onlooker.close();
  }
}
