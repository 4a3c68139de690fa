import type { Tx } from '@app/platform';
import { bigints } from '../bigints';
import type { ChargedWindow } from './charged-windows';

/** Some hundred bytes each. */
const MOST = 50_000;

/** What never changes of windows, as this process has read it: most of a batch are those of the batch before. */
export class KnownWindows {
  #byId = new Map<string, ChargedWindow>();

  /** Those that there are. @param ids in decimal */
  async of(tx: Tx, ids: Iterable<string>): Promise<readonly ChargedWindow[]> {
    const windows: ChargedWindow[] = [];
    const unknown: string[] = [];
    for (const id of ids) {
      const known = this.#byId.get(id);
      if (known === undefined) unknown.push(id);
      else windows.push(known);
    }
    if (unknown.length === 0) return windows;
    const read = await tx.query<ChargedWindow>(
      'SELECT id::text, tenant_id, scope, target, metric, starts_at, ends_at FROM budget_windows WHERE id = ANY($1::bigint[])',
      [bigints(unknown)],
    );
    if (this.#byId.size + read.length > MOST) this.#byId.clear();
    for (const window of read) this.#byId.set(window.id, window);
    return [...windows, ...read];
  }
}
