import { BillingWorld } from '../../test/billing-world';
import { CACHED, type LedgerRow } from '../ledger/ledger-row';
import type { CorrectRowDto } from '../corrections/correction.dto';
import { requestId } from '../reports/usage-record';
import type { StatementExport } from './verify-statement';
import { verifyStatements } from './verify-statements';

describe('statements with corrections, verified from their files', () => {
  let world: BillingWorld;
  beforeAll(async () => {
    world = await BillingWorld.open();
    world.booking.budgets({ recount: () => Promise.resolve() });
    await world.addTenant('finance', 'CC-1');
    await world.cards.import(world.admin, {
      currency: 'USD',
      markups: [{ tenant: 'finance', percent: '12.5' }],
      prices: [{ model: 'gpt-4o', input: '2.5', output: '10', fees: { webSearch: '0.01' } }],
    });
    await world.reload();
  });
  afterAll(() => world.close());

  const booked = async (day: number, fields: Parameters<BillingWorld['row']>[0] = {}): Promise<LedgerRow> => {
    const at = new Date(Date.UTC(2026, 2, day, 12));
    const row = world.row({ at, tenantId: 'finance', providerRequestId: `up-${day}`, ...fields });
    await world.book(row);
    return row;
  };
  const correct = ({ id }: LedgerRow, dto: Omit<CorrectRowDto, 'reason'>) =>
    world.corrections.correct(world.admin, requestId(id), { ...dto, reason: 'As on the invoice' });
  const resolve = (status: 'unconfirmed' | 'quarantined', as: 'zero' | 'billed') =>
    world.corrections.resolve(world.admin, { status, as, before: '2026-04-01T00:00:00Z', reason: 'As on the invoice' });
  const text = async (chunks: AsyncIterable<string>): Promise<string> => {
    let all = '';
    for await (const chunk of chunks) all += chunk;
    return all;
  };
  const closed = async (period: string): Promise<StatementExport> => {
    const { id } = await world.statements.close(world.admin, { period, tenant: 'finance' });
    const [bill, digests] = await Promise.all(
      [await world.statements.bill(world.admin, id), await world.statements.digests(world.admin, id)].map((file) =>
        text(file.chunks),
      ),
    );
    async function* whole(file = ''): AsyncGenerator<string> {
      yield await Promise.resolve(file);
    }
    return {
      manifest: await world.statements.show(world.admin, id),
      bill: () => whole(bill),
      digests: () => whole(digests),
      rateCards: await world.statements.rateCards(world.admin, id),
    };
  };

  it('recomputes whatever people have corrected, and tells which statement it lacks', async () => {
    const rows = [await booked(1), await booked(2, { status: 'estimated', reason: 'broken_off', webSearches: 2 })];
    await booked(3, { status: 'unconfirmed', reason: 'no_answer' });
    await booked(4, { status: 'quarantined', reason: 'above_worst_case', costNanos: 77n });
    await booked(5, { status: 'quarantined', reason: 'model_not_priced', model: 'unheard-of' });
    const [first, second] = rows as [LedgerRow, LedgerRow];
    await correct(first, { tokens: { input: 7, output: 3 } });
    const march = await closed('2026-03');

    await correct(first, { tokens: { input: 9, output: 3 }, webSearches: 1 });
    await correct(second, { cost: '0.5' });
    await correct(second, { tokens: { output: 11 } });
    await resolve('unconfirmed', 'zero');
    await resolve('quarantined', 'billed');
    const april = await closed('2026-04');
    await correct(first, { tokens: { input: 1, output: 1 } });
    const may = await closed('2026-05');

    const verdicts = await verifyStatements([may, march, april]);
    expect(verdicts.map(({ id, ok, rows: lines, recomputed, faults }) => [id, ok, lines, recomputed, faults])).toEqual([
      ['2026-05-finance', true, 1, 1, []],
      ['2026-03-finance', true, 6, 4, []],
      // What was stated, and the two that were said to be right, follow from nothing.
      ['2026-04-finance', true, 6, 3, []],
    ]);
    const [alone] = await verifyStatements([april]);
    expect(alone).toMatchObject({
      ok: false,
      faults: [],
      absent: [{ id: '2026-03-finance', period: '2026-03', corrections: 6 }],
    });
  });

  it('a month with calls that the response cache answered bills them at nothing, and recomputes', async () => {
    const inJune = (hour: number, fields: Parameters<BillingWorld['row']>[0] = {}) =>
      booked(hour, { at: new Date(Date.UTC(2026, 5, 5, hour)), ...fields });
    const bought = await inJune(1);
    const free = { reason: CACHED, counts: { input: 0, output: 0 }, providerRequestId: null };
    await inJune(2, { ...free, savedNanos: bought.costNanos });
    await inJune(3, { ...free, savedNanos: bought.costNanos });
    await correct(bought, { tokens: { input: 1, output: 1 } });
    const june = await closed('2026-06');
    const [verdict] = await verifyStatements([june]);
    expect(verdict).toMatchObject({ ok: true, faults: [], rows: 4, recomputed: 4, currency: 'USD' });
    expect(june.manifest.totals).toMatchObject({ requests: 3, tokens: { input: 1, output: 1 } });
  });
});
