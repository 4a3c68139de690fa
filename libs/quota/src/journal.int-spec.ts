import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CodedError, Cohort } from '@app/platform';
import { silentLog } from '../../../test/support/gateway-database';
import { tenantPrincipal } from '../../../test/support/principals';
import { Gateways, nanos, until } from '../test/gateways';
import { ACTUAL, draftOf } from '../test/test-ledger';
import { Journal, type JournalOptions, type Pinned } from './journal';
import { settledLine } from './journal-line';
import type { Charge } from './journal-line';
import { replay } from './journal-replay';
import { Attribution } from './scopes/attribution';

const attribution = new Attribution('a', { tokenId: 'tok', model: 'm' });
const charge = (id: number): Charge => ({
  id: id.toString(16).padStart(32, '0'),
  atMs: 1,
  attribution,
  windows: '1',
  amount: { cost: 5n, tokens: 7n },
});
const pinned = (id: number): Pinned => ({ id: charge(id).id, segment: 0 });

/** A disk that is full until the links are removed: segments the journal is about to begin lead to /dev/full. */
function fillDisk(folder: string): () => void {
  const last = Math.max(...readdirSync(folder).map((name) => Number.parseInt(name, 10)));
  const links = Array.from({ length: 50 }, (_, i) => join(folder, `${String(last + 1 + i).padStart(8, '0')}.log`));
  for (const link of links) symlinkSync('/dev/full', link);
  return () => links.forEach((link) => rmSync(link, { force: true }));
}

describe('journal', () => {
  let root: string;
  let journals: Journal[];

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'quota-journal-'));
    journals = [];
  });

  afterEach(async () => {
    for (const journal of journals) journal.close();
    await rm(root, { recursive: true, force: true });
  });

  function open(options: Partial<JournalOptions> = {}): Journal {
    const journal = new Journal(join(root, 'journal'), { sync: 'write', ...options }, silentLog);
    journal.open();
    journals.push(journal);
    return journal;
  }

  const read = (journal: Journal) =>
    replay(
      readdirSync(journal.folder)
        .sort()
        .map((name) => ({ name, bytes: readFileSync(join(journal.folder, name)) })),
    );

  /** What cannot be read of a segment when those before it are gone. */
  const damagedAlone = (journal: Journal): string[] =>
    readdirSync(journal.folder).flatMap(
      (name) => replay([{ name, bytes: readFileSync(join(journal.folder, name)) }]).damaged,
    );

  test.each(['write', 'group'] as const)('what it has acknowledged stands in the files (%s)', async (sync) => {
    const journal = open({ sync });
    const held = Array.from({ length: 100 }, (_, i) => journal.hold(charge(i), JSON.stringify({ i }), pinned(i)));
    await Promise.all(held);
    expect(read(journal).open).toHaveLength(100);
    await Promise.all([
      journal.settle(charge(1).attribution, settledLine(charge(1), JSON.stringify('row'))),
      journal.release(charge(2).id),
    ]);
    const found = read(journal);
    expect([found.open.length, found.settled.length, found.damaged.length]).toEqual([98, 1, 0]);
    expect(journal.bytes).toBe(statSync(join(journal.folder, '00000001.log')).size);
    expect(statSync(journal.folder).mode & 0o777).toBe(0o700);
  });

  test('segments go, oldest first, once all holds noted in them are done', async () => {
    const journal = open({ segmentBytes: 100 });
    const holds = Array.from({ length: 12 }, (_, i) => pinned(i));
    for (const [i, hold] of holds.entries()) await journal.hold(charge(i), '{}', hold);
    const before = readdirSync(journal.folder).length;
    expect(before).toBeGreaterThan(2);
    for (const hold of holds.slice(1)) journal.unpin(hold.segment);
    expect(readdirSync(journal.folder)).toHaveLength(before);
    expect(damagedAlone(journal)).toEqual([]);
    journal.unpin((holds[0] as Pinned).segment);
    expect(readdirSync(journal.folder)).toHaveLength(1);
  });

  test('on a full disk it refuses holds, remembers reports, and is whole again when there is room', async () => {
    const journal = open({ segmentBytes: 1 });
    await journal.hold(charge(1), '{}', pinned(1));
    const free = fillDisk(journal.folder);
    await expect(journal.hold(charge(2), '{}', pinned(2))).rejects.toMatchObject({
      code: 'journal_unavailable',
    });
    expect(journal.writable).toBe(false);
    await expect(journal.hold(charge(3), '{}', pinned(3))).rejects.toThrow(CodedError);
    await expect(journal.settle(charge(1).attribution, settledLine(charge(1), JSON.stringify('row')))).rejects.toThrow(
      CodedError,
    );
    free();
    await journal.settledUp();
    expect(journal.writable).toBe(true);
    const found = read(journal);
    expect(found.settled.map(({ id }) => id)).toEqual([charge(1).id]);
    expect([found.open, found.damaged]).toEqual([[], []]);
    expect(damagedAlone(journal)).toEqual([]);
    await journal.hold(charge(4), '{}', pinned(4));
    expect(read(journal).open.map(({ id }) => id)).toEqual([charge(4).id]);
  });

  test('what is noted for a cohort is written once for all of it, and in its turn', async () => {
    const journal = open();
    const done: string[] = [];
    const cohort = new Cohort<number>((id) => {
      void journal.hold(charge(id), '{}', pinned(id)).then(() => done.push(`noted with ${read(journal).open.length}`));
    });
    cohort.add(1);
    cohort.add(2);
    await new Promise<void>((next) => setImmediate(next));
    expect(done).toEqual(['noted with 2', 'noted with 2']);
  });

  test('removed by somebody, it tells so once and begins anew, where what happens from then on is noted', async () => {
    const journal = open();
    const told = jest.spyOn(silentLog, 'error');
    await journal.hold(charge(1), '{}', pinned(1));
    rmSync(journal.folder, { recursive: true });
    let held = 1;
    await until(async () => {
      held++;
      await journal.hold(charge(held), '{}', pinned(held));
      return existsSync(journal.folder);
    });
    await journal.settle(attribution, settledLine(charge(1), '{"n":1}'));
    const { settled, open: stillOpen } = read(journal);
    expect(settled.map(({ id }) => id)).toEqual([charge(1).id]);
    expect(stillOpen.map(({ id }) => id)).toEqual([charge(held).id]);
    expect(told.mock.calls).toEqual([[expect.anything(), expect.stringContaining('removed the journal')]]);
    told.mockRestore();
  });

  test('its folder goes when nothing is owed any more', () => {
    const journal = open();
    journal.remove();
    expect(existsSync(journal.folder)).toBe(false);
  });
});

describe('holds over a journal that cannot be written', () => {
  let gateways: Gateways;

  beforeAll(async () => {
    gateways = await Gateways.open();
  });

  afterAll(() => gateways.close());

  test('new ones are refused at once, open ones settle by way of the database, and work goes on afterwards', async () => {
    await gateways.tenant('a', { month: '10' });
    const gateway = await gateways.start({ segmentBytes: 1 });
    const principal = tenantPrincipal('a');
    const one = { costNanos: nanos('1'), tokens: 0 };
    const hold = await gateway.holds.reserve(principal, one, draftOf('a'));
    const free = fillDisk(gateway.journal.folder);
    await expect(gateway.holds.reserve(principal, one, draftOf('a'))).rejects.toMatchObject({
      code: 'journal_unavailable',
    });
    expect(gateway.quota.facts()).toMatchObject({ journalWritable: false, openHolds: 1 });

    await hold.settle({ costNanos: nanos('0.5'), tokens: 0, row: ACTUAL });
    expect(gateway.journal.writable).toBe(false);
    expect(await gateways.ledger()).toMatchObject({ rows: 1, sum: nanos('0.5') });

    free();
    await gateway.journal.settledUp();
    (await gateway.holds.reserve(principal, one, draftOf('a'))).release();
    await gateway.quota.drain();
    expect(await gateways.month('a')).toMatchObject({ spent: nanos('0.5'), leased: 0n });
  });

  test('a folder that cannot be made stops the start', () => {
    const blocked = join(gateways.dataDir, 'blocked');
    mkdirSync(blocked);
    symlinkSync('/dev/null', join(blocked, 'journal'));
    const journal = new Journal(join(blocked, 'journal', 'x'), { sync: 'write' }, silentLog);
    expect(() => journal.open()).toThrow();
  });
});
