import type { Tx } from '@app/platform';
import { bigints } from '../bigints';
import type { ChargedWindow } from './charged-windows';

/** Some hundred bytes each. */
const MOST = 50_000;

/** What never changes of windows, as this process has read it: most of a batch are those of the batch before. */
export class KnownWindows {
  readonly #byId = new Map<string, ChargedWindow>();

  /** Reads those that it has not read. @param ids in decimal */
  async learn(tx: Tx, ids: readonly string[]): Promise<void> {
    let unknown = ids.filter((id) => !this.#byId.has(id));
    if (unknown.length === 0) return;
    if (this.#byId.size + unknown.length > MOST) {
      this.#byId.clear();
      unknown = [...ids];
    }
    const read = await tx.query<ChargedWindow>(
      'SELECT id::text, tenant_id, scope, target, metric, starts_at, ends_at FROM budget_windows WHERE id = ANY($1::bigint[])',
      [bigints(unknown)],
    );
    for (const window of read) this.#byId.set(window.id, window);
  }

  /** One that there was when it was learnt. */
  get(id: string): ChargedWindow | undefined {
    return this.#byId.get(id);
  }
}
