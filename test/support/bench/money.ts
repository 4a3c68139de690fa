import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChangeFeed, createDataSource, createLog, Database, SystemClock } from '@app/platform';
import { assembleQuota } from '../../../libs/quota/src/assemble';
import { ACTUAL, testLedger } from '../../../libs/quota/test/test-ledger';
import { jobPrincipals, tenantPrincipal } from '../principals';

const AT_ONCE = 32;
const WORST_TOKENS = 1_000;
const COST_TOKENS = 100;
const WORST_NANOS = 20_000_000n;
const COST_NANOS = 2_000_000n;
const IDLE_MS = 300;

/** Hold, journal, settlement and ledger of so many requests, without any request. Prints the CPU in µs of each. */
async function main(databaseUrl: string, tenants: readonly string[], requests: number): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'openclawmu-bench-'));
  const log = createLog('silent');
  const changes = new ChangeFeed(databaseUrl, log);
  await changes.start();
  const database = new Database(await createDataSource(databaseUrl, 10).initialize());
  const { quota, holds, settlements } = assembleQuota({
    database,
    databaseUrl,
    changes,
    jobs: jobPrincipals,
    clock: new SystemClock(),
    log,
    dataDir,
    timezone: 'UTC',
    journal: { sync: 'write' },
    waitMs: () => 0,
  });
  settlements.sink(testLedger);
  await quota.start();
  const principals = tenants.map((tenant) => tenantPrincipal(tenant));
  const work = async (count: number): Promise<void> => {
    let next = 0;
    const one = async (): Promise<void> => {
      while (next < count) {
        const principal = principals[next++ % principals.length];
        if (!principal) return;
        const hold = await holds.reserve(principal, { costNanos: WORST_NANOS, tokens: WORST_TOKENS }, ACTUAL);
        await hold.settle({ costNanos: COST_NANOS, tokens: COST_TOKENS, row: ACTUAL });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, one));
    while (settlements.facts.waitingRows > 0) await new Promise((later) => setTimeout(later, 5));
  };
  await work(requests / 4);
  await new Promise((later) => setTimeout(later, IDLE_MS));
  const before = process.cpuUsage();
  await work(requests);
  const { user, system } = process.cpuUsage(before);
  process.stdout.write(`${(user + system) / requests}\n`);
  await quota.drain();
  await changes.stop();
  await database.close();
  await rm(dataDir, { recursive: true, force: true });
}

const [, , databaseUrl = '', tenants = '', requests = ''] = process.argv;
main(databaseUrl, tenants.split(','), Number(requests)).then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
