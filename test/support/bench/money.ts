import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NO_TOKENS, NO_USAGE, priceOf, quote } from '@app/billing';
import { ChangeFeed, createDataSource, createLog, Database, SystemClock, type Config } from '@app/platform';
import { makeObjectsYoung } from '../../../apps/gateway/src/young-objects';
import { CatalogueLoader } from '../../../libs/billing/src/catalogue/catalogue-loader.service';
import { Catalogue } from '../../../libs/billing/src/catalogue/catalogue.service';
import { Ledger } from '../../../libs/billing/src/ledger/ledger.service';
import { LedgerPartitions } from '../../../libs/billing/src/ledger/ledger-partitions.service';
import { Attributions } from '../../../libs/proxy/src/money/attributions';
import { bill } from '../../../libs/proxy/src/money/bill';
import { LedgerBridge, SettledEntry, WorstCase } from '../../../libs/proxy/src/money/ledger-sink';
import { assembleQuota } from '../../../libs/quota/src/assemble';
import { jobPrincipals, tenantPrincipal } from '../principals';
import { warmUpOf } from './children';

const AT_ONCE = 32;
const MODEL = 'fake';
const BOUNDS = { inputTokensMax: 2_000, outputTokensMax: 1_000, choices: 1 };
const ENDING = {
  outcome: 'completed',
  status: 200,
  usage: { ...NO_USAGE, counts: { ...NO_TOKENS, input: 250, output: 100 } },
  final: true,
  problem: null,
  outputSeen: 100,
  silentSearches: 0,
  inputGuess: 250,
} as const;
const IDLE_MS = 300;
/** As many as come to a gateway that works at full speed while a batch is gathered and booked. */
const MOST_WAITING = 2_500;

/** Quote, hold, journal, settlement and ledger of so many requests, without any request. Prints the CPU in µs of each. */
async function main(databaseUrl: string, tenants: readonly string[], requests: number): Promise<void> {
  makeObjectsYoung(); // as in a gateway
  const dataDir = await mkdtemp(join(tmpdir(), 'openclawmu-bench-'));
  const log = createLog('silent');
  const changes = new ChangeFeed(databaseUrl, log);
  await changes.start();
  const database = new Database(await createDataSource(databaseUrl, 10).initialize());
  const clock = new SystemClock();
  const catalogue = new Catalogue({ current: { providers: {} } } as Config, clock);
  await new CatalogueLoader(catalogue, database, jobPrincipals, changes, log).start();
  const ledger = new Ledger(catalogue, new LedgerPartitions(database, jobPrincipals, clock, log), log);
  const { quota, holds, settlements } = assembleQuota({
    database,
    databaseUrl,
    changes,
    jobs: jobPrincipals,
    clock,
    log,
    webhooks: { announce: () => Promise.resolve() },
    dataDir,
    timezone: 'UTC',
    journal: { sync: 'write' },
    waitMs: () => 0,
  });
  settlements.sink(new LedgerBridge(ledger));
  await quota.start();
  const attributions = new Attributions();
  const principals = tenants.map((tenant) => tenantPrincipal(tenant, { id: `tok_${tenant}` }));
  let pause: Promise<unknown> | null = null;
  const work = async (count: number): Promise<void> => {
    let next = 0;
    const one = async (): Promise<void> => {
      while (next < count) {
        const principal = principals[next++ % principals.length];
        if (!principal) return;
        // Behind a relay, requests come slower than rows are booked; without one they would pile up.
        while (settlements.facts.waitingRows > MOST_WAITING) await (pause ??= aWhile().then(() => (pause = null)));
        const card = catalogue.cardAt(clock.now());
        const price = card && priceOf(card, MODEL, principal.tenantId);
        if (!card || !price) throw new Error(`${MODEL} has no price`);
        const worst = quote(card, price, BOUNDS);
        const head = {
          tenantId: principal.tenantId as string,
          tokenId: principal.id,
          subject: null,
          endUser: null,
          api: 'chat' as const,
          model: MODEL,
          provider: 'fake-openai',
          rateCard: worst.rateCard,
          formula: worst.formula,
        };
        const attribution = attributions.of(head, principal.lineage);
        const hold = await holds.reserve(principal, worst, new WorstCase(attribution, worst.worst));
        const billed = bill(price, worst, ENDING);
        const { costNanos, tokens } = billed;
        const row = new SettledEntry(hold, billed, ENDING.outcome, 'chatcmpl-bench');
        await hold.settle({ costNanos, tokens, row });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, one));
    while (settlements.facts.waitingRows > 0) await aWhile();
  };
  await work(warmUpOf(requests));
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

const aWhile = (): Promise<void> => new Promise((later) => setTimeout(later, 10));

const [, , databaseUrl = '', tenants = '', requests = ''] = process.argv;
main(databaseUrl, tenants.split(','), Number(requests)).then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
