import { createDataSource } from '@app/platform';
import { migrations } from '../../apps/gateway/src/migrations';

/** Takes a migration back, has something written as the version before it did, and runs it on that. */
export async function migrateAgain(ownerUrl: string, name: string, writeBefore: () => Promise<void>): Promise<void> {
  const Migration = migrations.find((each) => each.name === name);
  if (!Migration) throw new TypeError(`there is no migration ${name}`);
  const source = await createDataSource(ownerUrl, 1).initialize();
  try {
    const runner = source.createQueryRunner();
    await new Migration().down(runner);
    await writeBefore();
    await new Migration().up(runner);
  } finally {
    await source.destroy();
  }
}
