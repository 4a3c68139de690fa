import fc from 'fast-check';
import { uuid7 } from '@app/platform';
import { counts } from './arbitrary-prices';
import { cards, exported, line, verifyAll, type Files } from './statement-export';
import {
  difference,
  idTimeOf,
  nothing,
  repriced,
  restated,
  STATED,
  type BilledState,
  type Repriced,
} from '../src/corrections/correction';
import type { LedgerStatus } from '../src/ledger/ledger-row';
import { priceOf } from '../src/pricing/pricing';
import { TOKEN_CLASSES, type TokenCounts } from '../src/pricing/token-counts';
import { hashOf, type RateCard } from '../src/rates/rate-card';
import type { StatementLine } from '../src/statements/statement-line';
import type { StatementVerdict } from '../src/statements/verify-statement';

/** What somebody does about a call, as the services do it. */
type Act = (state: BilledState, status: LedgerStatus) => Repriced | undefined;

const priceBy = (version: number) => priceOf(cards.get(version) as RateCard, 'gpt-4o', 'finance');

const stateOf = (row: StatementLine): BilledState => ({
  counts: Object.fromEntries(TOKEN_CLASSES.map((name) => [name, Number(row[name])])) as unknown as TokenCounts,
  webSearches: Number(row.webSearches),
  serviceTier: row.serviceTier,
  rateCard: row.rateCard,
  formula: row.formula,
  ownFormula: row.formula,
  costNanos: row.costNanos,
  listCostNanos: row.listCostNanos,
  corrections: 0,
});

/** The lines of a row's corrections, one after the other. */
function correctionsOf(row: StatementLine, acts: readonly Act[]): StatementLine[] {
  let state = stateOf(row);
  const lines: StatementLine[] = [];
  for (const act of acts) {
    const after = act(state, row.status);
    if (!after) continue;
    const { counts: changed, webSearches, ...costs } = difference(state, after);
    state = { ...state, ...after, corrections: state.corrections + 1 };
    lines.push({
      ...row,
      ...costs,
      ...Object.fromEntries(TOKEN_CLASSES.map((name) => [name, BigInt(changed[name])])),
      webSearches: BigInt(webSearches),
      id: uuid7(idTimeOf(row.at, state.corrections)),
      rateCard: after.rateCard,
      formula: after.formula,
      entry: 'correction',
      status: 'correction',
      corrects: row.id,
    });
  }
  return lines;
}

const count =
  (told: TokenCounts, webSearches?: number): Act =>
  (state) =>
    restated(state, { counts: told, webSearches }, priceBy(state.rateCard));
const stateCost =
  (costNanos: bigint): Act =>
  (state) =>
    restated(state, { costNanos }, undefined);
const pricedBy =
  (version: number): Act =>
  (state) => {
    const price = priceBy(version);
    return price && repriced(state, version, price);
  };
const confirm: Act = (state, status) => (status === 'quarantined' ? { ...state, formula: STATED } : state);

const acts: fc.Arbitrary<Act> = fc.oneof(
  fc.tuple(counts, fc.nat({ max: 9 })).map(([told, searches]) => count(told, searches)),
  fc.bigInt({ min: 0n, max: 10n ** 12n }).map(stateCost),
  fc.constantFrom(1, 2).map(pricedBy),
  fc.constant<Act>(nothing),
  fc.constant(confirm),
);
const rows: fc.Arbitrary<StatementLine> = fc
  .record({
    rateCard: fc.constantFrom(1, 2),
    formula: fc.constantFrom(1, 2),
    serviceTier: fc.constantFrom(null, 'priority'),
    status: fc.constantFrom('unconfirmed' as const, 'quarantined' as const, 'actual' as const),
  })
  .map((fields) => line(0, fields.formula === 1 ? { ...fields, rateCard: 1 } : fields));

const SPANS = [
  ['2026-02-28T23:00:00.000Z', '2026-03-31T22:00:00.000Z', null],
  ['2026-03-31T22:00:00.000Z', '2026-04-30T22:00:00.000Z', '2026-04-01T06:00:00.000Z'],
  ['2026-04-30T22:00:00.000Z', '2026-05-31T22:00:00.000Z', '2026-05-01T06:00:00.000Z'],
] as const;
const PERIODS = ['2026-03', '2026-04', '2026-05'];

/** Three statements after each other; the hashes always fit, as a careful forger makes them. */
const statements = (...bills: readonly (readonly StatementLine[])[]): Files[] =>
  SPANS.map(([from, to, lateAfter], index) => {
    const period = PERIODS[index] as string;
    // What was booked up to then is the next statement's moment after which it is late.
    const asOf = SPANS[index + 1]?.[2] ?? to;
    return exported(bills[index] ?? [], { id: `${period}-finance`, period, from, to, lateAfter, asOf });
  });

const named = (verdicts: readonly StatementVerdict[]): string[] =>
  verdicts.flatMap(({ id, faults }) => faults.map(({ kind, requestId }) => `${id} ${kind} ${requestId}`));
const name = (period: string, { id }: StatementLine): string => `${period}-finance miscalculated req_${id}`;

/** A row in March, its corrections spread over that month and the next two. */
const histories = fc
  .record({ row: rows, all: fc.array(acts, { minLength: 1, maxLength: 5 }), spread: fc.array(fc.nat()) })
  .map(({ row, all, spread }) => {
    const corrections = correctionsOf(row, all);
    const at = corrections.map((_, index) => (spread[index] ?? index) % 3).sort();
    const bills = [0, 1, 2].map((month) => corrections.filter((_, index) => at[index] === month));
    return { row, corrections, at, bills: [[row, ...(bills[0] ?? [])], bills[1] ?? [], bills[2] ?? []] };
  })
  .filter(({ corrections }) => corrections.length > 0);

it('recomputes all corrections from what they correct, in whichever statement and order that is given', async () => {
  await fc.assert(
    fc.asyncProperty(histories, fc.boolean(), async ({ row, corrections, bills }, isReversed) => {
      const files = statements(...bills);
      const verdicts = await verifyAll(...(isReversed ? files.toReversed() : files));
      expect(named(verdicts)).toEqual([]);
      expect(verdicts.every(({ ok }) => ok)).toBe(true);
      const followed = corrections.filter(({ formula }) => formula !== STATED).length;
      const ofRow = row.status === 'quarantined' ? 0 : 1;
      expect(verdicts.reduce((sum, { recomputed }) => sum + recomputed, 0)).toBe(followed + ofRow);
    }),
  );
});

/** The same bills with one line altered, and all hashes made to fit. */
const forged = (
  { bills }: { readonly bills: readonly StatementLine[][] },
  victim: StatementLine,
  by: object,
): Files[] => statements(...bills.map((bill) => bill.map((each) => (each === victim ? { ...each, ...by } : each))));

it('names a correction that was altered, though all hashes were forged to fit', async () => {
  const alterations = fc.constantFrom<(line: StatementLine) => Partial<StatementLine>>(
    ({ costNanos }) => ({ costNanos: costNanos + 1n }),
    ({ listCostNanos }) => ({ listCostNanos: listCostNanos - 1n }),
    ({ output, formula }) => (formula === STATED ? { model: 'gpt-5' } : { output: output + 1n }),
    ({ at }) => ({ at: new Date(at.getTime() + 1) }),
    () => ({ tenant: 'legal' }),
    () => ({ costCenter: 'CC-9' }),
    () => ({ endUser: 'ann' }),
    () => ({ serviceTier: 'batch' }),
    () => ({ id: uuid7(Date.parse('2026-03-01T00:00:00.000Z')) }),
  );
  await fc.assert(
    fc.asyncProperty(histories, fc.nat(), alterations, async (history, which, alter) => {
      const { corrections, at } = history;
      const index = which % corrections.length;
      const victim = corrections[index] as StatementLine;
      const by = alter(victim);
      const found = named(await verifyAll(...forged(history, victim, by)));
      expect(found).toContain(name(PERIODS[at[index] as number] as string, { ...victim, ...by }));
    }),
    { numRuns: 300 },
  );
});

it('names what follows from a corrected line that was altered, though all hashes were forged to fit', async () => {
  await fc.assert(
    fc.asyncProperty(histories, async (history) => {
      const { row, corrections, at } = history;
      const [first] = corrections as [StatementLine];
      // What somebody has taken on himself as it was says nothing of what it was.
      fc.pre(row.status !== 'quarantined' || first.formula !== STATED || first.costNanos !== 0n);
      const found = named(await verifyAll(...forged(history, row, { costNanos: row.costNanos + 1n })));
      const wanted =
        row.status === 'quarantined' ? name(PERIODS[at[0] as number] as string, first) : name('2026-03', row);
      expect(found).toContain(wanted);
    }),
  );
});

describe('a call of March that was corrected in April, and again in May', () => {
  const row = line(0, { status: 'unconfirmed' });
  const told = { ...stateOf(row).counts, input: 10, output: 3 };
  const [april, may] = correctionsOf(row, [count(told), pricedBy(2)]) as [StatementLine, StatementLine];
  const all = statements([row], [april], [may]) as [Files, Files, Files];
  const absentOf = async (...files: Files[]) =>
    (await verifyAll(...files)).map(({ ok, absent, faults }) => [
      ok,
      faults.length,
      ...absent.map(({ id, period, corrections }) => `${corrections} of ${id} (${period})`),
    ]);

  it('is recomputed when all three statements are given', async () => {
    expect((await verifyAll(...all)).map(({ ok, recomputed }) => [ok, recomputed])).toEqual([
      [true, 1],
      [true, 1],
      [true, 1],
    ]);
  });

  it('tells which statement was not given', async () => {
    const [march, inApril, inMay] = all;
    expect(await absentOf(inApril)).toEqual([[false, 0, '1 of 2026-03-finance (2026-03)']]);
    expect(await absentOf(inApril, inMay)).toEqual([
      [false, 0, '1 of 2026-03-finance (2026-03)'],
      [false, 0, '1 of 2026-03-finance (2026-03)'],
    ]);
    expect(await absentOf(march, inMay)).toEqual([
      [true, 0],
      [false, 0, '1 of 2026-04-finance (2026-04)'],
    ]);
  });

  it('accuses a correction whose line is in no statement though all were given', async () => {
    const [, inApril, inMay] = all;
    const [march] = statements([]) as [Files];
    expect(named(await verifyAll(march, inApril, inMay))).toEqual([name('2026-04', april), name('2026-05', may)]);
    const [, empty] = statements([row], []) as [Files, Files];
    expect(named(await verifyAll(all[0], empty, inMay))).toEqual([name('2026-05', may)]);
  });

  it('does not accuse a correction of what was billed before there were statements', async () => {
    const [, first, second] = statements([], [], [april, may]) as [Files, Files, Files];
    const opening = { ...first, manifest: { ...first.manifest, lateAfter: null } };
    const [, verdict] = await verifyAll(opening, second);
    expect(verdict).toMatchObject({ ok: true, unfounded: 2, absent: [] });
    // Until the first statement is given, nobody can know that it is the first.
    expect(await absentOf(second)).toEqual([[false, 0, '2 of 2026-03-finance (2026-03)']]);
  });

  it('finds the line in a statement of the whole gateway, too, and does not add up what stands in both', async () => {
    const whole = statements([row], [april]).map((each) => {
      const { period } = each.manifest;
      return { ...each, manifest: { ...each.manifest, id: period, tenant: null } };
    });
    expect((await absentOf(whole[0] as Files, all[1])).map(([ok]) => ok)).toEqual([true, true]);
    expect((await absentOf(...whole, ...all)).map(([ok]) => ok)).toEqual(Array(6).fill(true));
  });

  it('is named when the card that it was priced by is another', async () => {
    const dearer = (files: Files): Files => {
      const [card, ...others] = files.rateCards as [Files['rateCards'][number]];
      const document = card.document.replace('"10.00"', '"11.00"');
      const altered = { ...card, document, sha256: hashOf(document) };
      const manifest = { ...files.manifest, rateCards: [altered, ...others] };
      return { ...files, manifest, rateCards: [altered, ...others] };
    };
    expect(dearer(all[1]).rateCards).not.toEqual(all[1].rateCards);
    expect(named(await verifyAll(all[0], dearer(all[1]), all[2]))).toEqual([name('2026-04', april)]);
  });

  it.each<[string, Partial<StatementLine>, RegExp]>([
    ['amount', { costNanos: april.costNanos + 5n }, /^adds -\S+ to req_\w+ and should add -\S+$/],
    ['card', { rateCard: 2 }, /should add/],
    ['card that is not there', { rateCard: 9 }, /leaves req_\w+ with what is not priced by rate card "9"/],
    ['formula', { formula: 9 }, /formula "9", which is not known/],
    ['tokens below none', { input: -9_999n }, /cannot be right/],
    ['department', { costCenter: 'CC-9' }, /has another cost_center than req_/],
    ['corrected line', { corrects: april.id }, /which is a correction itself/],
    ['order', { id: uuid7(row.at.getTime()) }, /cannot be correction 0 of req_/],
  ])('is named with its %s altered', async (_, by, message) => {
    const verdicts = await verifyAll(...forged({ bills: [[row], [april], []] }, april, by));
    expect(verdicts[1]?.faults.map(({ line: at, message: text }) => [at, text])).toContainEqual([
      2,
      expect.stringMatching(message),
    ]);
    expect(verdicts[0]?.faults).toEqual([]);
  });
});
