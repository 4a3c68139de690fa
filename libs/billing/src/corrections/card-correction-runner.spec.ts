import type { ChangeFeed, JobPrincipals, Log } from '@app/platform';
import { CorrectionBooking } from './booking.service';
import { CardCorrectionRunner } from './card-correction-runner.service';
import type { CardCorrections } from './card-corrections.service';

it('goes on with other cards when one cannot go on, and says which', async () => {
  const warned: unknown[] = [];
  const asked: number[] = [];
  let ended: () => void = () => undefined;
  const end = new Promise<void>((resolve) => (ended = resolve));
  const corrections = {
    due: () => Promise.resolve([2, 3]),
    step: (_: unknown, version: number) => {
      asked.push(version);
      if (version === 3) ended();
      return version === 2 ? Promise.reject(new Error('not in the ledger')) : Promise.resolve(false);
    },
  } as unknown as CardCorrections;
  const log = {
    warn: (facts: unknown) => {
      warned.push(facts);
      // Where the second is not asked, that is seen and not waited for.
      setImmediate(ended);
    },
  } as unknown as Log;
  const feed = { on: () => undefined } as unknown as ChangeFeed;
  const jobs = { for: () => ({}) } as unknown as JobPrincipals;
  const booking = new CorrectionBooking();
  booking.budgets({ recount: () => Promise.resolve() });
  const runner = new CardCorrectionRunner(corrections, booking, jobs, feed, log);
  runner.start();
  await end;
  await runner.onModuleDestroy();
  expect(asked).toEqual([2, 3]);
  expect(warned).toEqual([expect.objectContaining({ rateCard: 2 })]);
});
