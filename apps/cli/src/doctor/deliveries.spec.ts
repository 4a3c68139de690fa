import type { Cli } from '../cli';
import { EXIT, CliError } from '../exit-code';
import { examineDeliveries } from './deliveries';

const asking = (get: () => Promise<unknown>): Cli['gateway'] => ({ get }) as unknown as Cli['gateway'];

test('deliveries that fail are named, with where they go and how to see why', async () => {
  const items = [
    { name: 'lake', place: 's3://finance', failing: 0 },
    { name: 'share', place: '/srv/finance', failing: 2 },
  ];
  expect(await examineDeliveries(asking(() => Promise.resolve({ items })))).toMatchObject([
    {
      about: 'delivery',
      what: 'share to /srv/finance failed, and nothing has made it good since (runs: 2)',
      remedy: expect.stringContaining('openclawmu deliveries runs share') as string,
    },
  ]);
});

test('nothing is said of them by whom nobody answers', async () => {
  const refused = () => Promise.reject(new CliError(EXIT.unreachable, 'no'));
  expect(await examineDeliveries(asking(refused))).toEqual([]);
});
