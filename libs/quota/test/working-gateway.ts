import { writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { ChangeFeed, createDataSource, createLog, Database, SystemClock } from '@app/platform';
import { jobPrincipals, tenantPrincipal } from '../../../test/support/principals';
import { assembleQuota } from '../src/assemble';
import { ACTUAL, draftOf, testLedger } from './test-ledger';

/**
 * A gateway process that reserves and settles without end, until it is killed or finds the budget used up. Every line it
 * prints is an answer whose last byte has left: `settled <id> <nanos>`.
 */
async function work(databaseUrl: string, dataDir: string, tenant: string): Promise<void> {
  const log = createLog('silent');
  const changes = new ChangeFeed(databaseUrl, log);
  await changes.start();
  const database = new Database(await createDataSource(databaseUrl, 4).initialize());
  const { quota, holds, settlements } = assembleQuota({
    database,
    databaseUrl,
    changes,
    jobs: jobPrincipals,
    clock: new SystemClock(),
    log,
    webhooks: { announce: () => Promise.resolve() },
    dataDir,
    timezone: 'UTC',
    journal: { sync: 'write', segmentBytes: 16_384 },
    waitMs: () => 100,
  });
  settlements.sink(testLedger);
  await quota.start();
  const principal = tenantPrincipal(tenant);
  const client = async (): Promise<void> => {
    for (;;) {
      const amount = 20_000_000n + BigInt(Math.floor(Math.random() * 30_000_000));
      const hold = await holds.reserve(principal, { costNanos: amount, tokens: 0 }, draftOf(tenant));
      await delay(Math.random() * 6);
      if (Math.random() < 0.1) {
        hold.release();
        continue;
      }
      const costNanos = (amount * BigInt(Math.floor(20 + Math.random() * 80))) / 100n;
      await hold.settle({ costNanos, tokens: 0, row: ACTUAL });
      print(`settled ${hold.id} ${costNanos}\n`);
    }
  };
  await Promise.all(Array.from({ length: 20 }, () => client().catch(refused)));
  await quota.drain();
  await changes.stop();
  await database.close();
}

/** At once, as the last byte of an answer: when the reader lags behind, its pipe is full and must be waited for. */
function print(line: string): void {
  for (;;)
    try {
      writeSync(1, line);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
}

function refused(error: unknown): void {
  if ((error as { code?: string }).code !== 'budget_exceeded') throw error;
}

const [, , databaseUrl = '', dataDir = '', tenant = ''] = process.argv;
work(databaseUrl, dataDir, tenant).then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
