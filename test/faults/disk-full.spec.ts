import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Books, sum } from '../support/books';
import {
  costNanosOf,
  createDepartment,
  eventually,
  fakeProviders,
  offerFakeModels,
  type Department,
} from '../support/department';
import { FakeProvider } from '../support/fake-provider';
import { createPlace, Gateway, type Place } from '../support/gateway';
import { CALL_KINDS, callModel, type CallKind } from '../support/mixed-calls';
import { expectNothingLeft } from '../support/processes';

/** The filesystem of the journal is full, a real one: only root may mount it. */

const testAsRoot = process.getuid?.() === 0 && process.platform === 'linux' ? test : test.skip;

let fake: FakeProvider;
let place: Place;
let journals: string;
let gateway: Gateway;
let department: Department;

beforeAll(async () => {
  fake = await FakeProvider.start();
  place = await createPlace();
  journals = join(place.folder, 'data/journal');
  mkdirSync(journals, { recursive: true });
});
afterAll(async () => {
  await gateway?.stop();
  execFileSync('umount', ['-q', journals], { stdio: 'ignore' });
  await gateway?.remove();
  await fake.close();
  await expectNothingLeft(place.folder);
});

const filler = (): string => join(journals, 'filler');

/** Until nothing more goes in, not even a byte. */
function fillDisk(): void {
  for (let bytes = 65_536; bytes >= 1; bytes /= 16)
    for (;;)
      try {
        writeFileSync(filler(), Buffer.alloc(bytes), { flag: 'a' });
      } catch (error) {
        expect(error).toMatchObject({ code: 'ENOSPC' });
        break;
      }
}

const call = (model: string, index = 0): Promise<number> =>
  callModel(gateway.url, department.token, CALL_KINDS[index % CALL_KINDS.length] as CallKind, model).then(
    () => 200,
    ({ status }: { status: number }) => status,
  );

testAsRoot(
  'what is under way ends well, no work is taken that could not be billed, and it mends itself',
  async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', journals]);
    gateway = await Gateway.start({ place, providers: fakeProviders(fake) });
    await offerFakeModels(gateway);
    department = await createDepartment(gateway, { budget: '100.00' });
    expect(await call('fake-n3')).toBe(200);
    const held = Array.from({ length: 8 }, (_, index) => call('fake-n5-h2-i30', index));
    await fake.waitFor(({ requests }) => requests.filter(({ paused }) => paused).length === held.length);

    fillDisk();
    for (const request of fake.requests.filter(({ paused }) => paused)) request.resume();
    expect(await Promise.all(held)).toEqual(Array(held.length).fill(200));
    // The last page of the journal may have room for a few lines more.
    const status = await eventually(
      () => call('fake-n3'),
      (answer) => answer !== 200,
    );
    expect(status).toBe(503);
    const sent = fake.tally().calls;
    const refused = await gateway.call(
      'POST',
      '/v1/chat/completions',
      { model: 'fake-n3', messages: [] },
      department.token,
    );
    expect(refused).toMatchObject({ status: 503, body: { error: { gateway_code: 'journal_unavailable' } } });
    expect((await gateway.call('GET', '/readyz', undefined, '')).status).toBe(503);
    expect(fake.tally().calls).toBe(sent);

    rmSync(filler());
    await eventually(async () => (await call('fake-n3')) === 200);
    const books = await Books.open(place.database);
    try {
      const { calls, tokens } = fake.tally();
      const rows = await eventually(
        () => books.calls(department.id),
        ({ length }) => length >= calls,
      );
      expect(rows.map((row) => row.status)).toEqual(Array<string>(calls).fill('actual'));
      expect(sum(rows.map(({ costNanos }) => costNanos))).toBe(costNanosOf(tokens));
    } finally {
      await books.close();
    }
    expect(gateway.process.exitCode).toBeNull();
  },
  120_000,
);
