import { setTimeout as delay } from 'node:timers/promises';
import { WINDOW_NAME } from '../books';
import { Onlooker } from './onlooker';

const PAUSE_MS = 5;

/** What a watch has seen. */
export interface Watched {
  readonly samples: number;
  /** Looks that found something leased: calls were under way, so that an empty `overdrawn` says something. */
  readonly busySamples: number;
  /** Instants at which more was spent and leased than a limit allows. There must be none. */
  readonly overdrawn: readonly string[];
  /** Instants at which a window's leases were not what it counts as leased. There must be none. */
  readonly unbalanced: readonly string[];
}

interface Sample {
  readonly name: string;
  readonly ceiling: string | null;
  readonly spent: string;
  readonly leased: string;
  readonly leases: string;
}

/** Looks at every budget window without pause, each time in one snapshot of the database, until it is stopped. */
export class WindowWatch {
  private samples = 0;
  private busySamples = 0;
  private readonly overdrawn: string[] = [];
  private readonly unbalanced: string[] = [];
  private stopping = false;
  private readonly running: Promise<void>;

  constructor(superuserUrl: string) {
    this.running = this.watch(new Onlooker(superuserUrl));
  }

  async stop(): Promise<Watched> {
    this.stopping = true;
    await this.running;
    const { samples, busySamples, overdrawn, unbalanced } = this;
    return { samples, busySamples, overdrawn, unbalanced };
  }

  private async watch(onlooker: Onlooker): Promise<void> {
    while (!this.stopping) {
      const windows = await onlooker.query<Sample>(
        `SELECT ${WINDOW_NAME} AS name, w.limit_amount::text AS ceiling, w.spent::text, w.leased::text,
                (SELECT coalesce(sum(amount), 0)::text FROM leases l WHERE l.window_id = w.id) AS leases
           FROM budget_windows w`,
      );
      for (const { name, ceiling, spent, leased, leases } of windows ?? []) {
        const told = `${name}: ${spent} spent, ${leased} leased (${leases} by process), limit ${ceiling}`;
        if (ceiling !== null && BigInt(spent) + BigInt(leased) > BigInt(ceiling)) this.overdrawn.push(told);
        if (leased !== leases) this.unbalanced.push(told);
      }
      if (windows) this.samples++;
      if (windows?.some(({ leased }) => leased !== '0')) this.busySamples++;
      await delay(PAUSE_MS);
    }
    await onlooker.close();
  }
}
