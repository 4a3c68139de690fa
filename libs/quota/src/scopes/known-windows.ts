import type { Tx } from '@app/platform';
import type { ChargedWindow } from './charged-windows';

/** Some hundred bytes each. */
const MOST = 50_000;

/** What never changes of windows, as this process has read it: most of a batch are those of the batch before. */
export class KnownWindows {
  #byId = new Map<string, ChargedWindow>();

  /** @param ids in decimal, of windows that are there */
  async of(tx: Tx, ids: readonly string[]): Promise<readonly ChargedWindow[]> {
    if (this.#byId.size > MOST) this.#byId = new Map();
    const known = this.#byId;
    const unknown = ids.filter((id) => !known.has(id));
    if (unknown.length > 0) for (const window of await read(tx, unknown)) known.set(String(window.id), window);
    return ids.map((id) => known.get(id) as ChargedWindow);
  }
}

const read = (tx: Tx, ids: readonly string[]): Promise<ChargedWindow[]> =>
  tx.query(
    'SELECT id, tenant_id, scope, target, metric, starts_at, ends_at FROM budget_windows WHERE id = ANY($1::bigint[])',
    [`{${ids.join(',')}}`],
  );
