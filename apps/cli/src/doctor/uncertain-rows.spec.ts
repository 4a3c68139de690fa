import type { Cli } from '../cli';
import { examineUncertainRows } from './uncertain-rows';

const found = async (counts: object): Promise<unknown> =>
  examineUncertainRows({ get: () => Promise.resolve(counts) } as unknown as Cli['gateway']);

test('rows of either status are named by the command it tells of', async () => {
  expect(await found({ unconfirmed: 0, quarantined: 0, estimated: 3 })).toEqual([]);
  expect(await found({ unconfirmed: 0, quarantined: 2, estimated: 3 })).toMatchObject([
    { about: 'ledger', state: 'note', remedy: expect.stringMatching(/^"openclawmu ledger list" names them/) as string },
  ]);
});
