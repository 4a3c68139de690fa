import { Books } from './books';
import type { Place } from './gateway';

/** Has all windows of a tenant count so much more than its calls have used, in nano-units and in tokens: only a fault could do that. */
export async function miscount({ database }: Pick<Place, 'database'>, tenant: string, by: number): Promise<void> {
  const books = await Books.open(database);
  try {
    await books.query('UPDATE budget_windows SET spent = spent + $2 WHERE tenant_id = $1', [tenant, by]);
  } finally {
    await books.close();
  }
}
