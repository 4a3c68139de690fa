import type { LedgerHead } from '@app/billing';
import fc from 'fast-check';
import { Attributions } from './attributions';

const name = fc.constantFrom('a', 'b', 'a b', ' ', '', '1:a', '-', 'a 1:a');
const head: fc.Arbitrary<LedgerHead> = fc.record({
  tenantId: fc.constantFrom('a', 'b'),
  tokenId: fc.constantFrom('tok_1', 'tok_2'),
  subject: fc.option(name),
  endUser: fc.option(name),
  api: fc.option(fc.constantFrom('chat', 'messages')),
  model: name,
  provider: fc.constantFrom('p', 'q'),
  rateCard: fc.constantFrom(1, 11),
  formula: fc.constantFrom(1, 2),
});

test('calls share an attribution if, and only if, their rows have the same head', () => {
  const attributions = new Attributions();
  fc.assert(
    fc.property(head, head, (one, other) => {
      const [first, second] = [attributions.of(one, 'tok_1'), attributions.of({ ...other }, 'tok_1')];
      expect(first.facts).toEqual(one);
      expect(first.call.lineage).toBe('tok_1');
      expect(first === second).toBe(JSON.stringify(one) === JSON.stringify(other));
    }),
    { numRuns: 2_000 },
  );
});

test('names that callers invent do not fill the memory', () => {
  const attributions = new Attributions();
  const [one] = fc.sample(head, 1) as [LedgerHead];
  const first = attributions.of({ ...one, endUser: 'first' }, 'tok_1');
  for (let i = 0; i < 10_000; i++) attributions.of({ ...one, endUser: `invented ${i}` }, 'tok_1');
  expect(attributions.of({ ...one, endUser: 'first' }, 'tok_1')).not.toBe(first);
  expect(attributions.of({ ...one, endUser: 'first' }, 'tok_1')).toEqual(first);
});
