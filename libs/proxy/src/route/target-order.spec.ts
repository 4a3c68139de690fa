import fc from 'fast-check';
import { orderOf, type Target } from './target-order';

const targets = fc.uniqueArray(
  fc.record({
    model: fc.stringMatching(/^[a-z]{1,6}$/),
    weight: fc.option(fc.integer({ min: 1, max: 1_000 }), { nil: undefined }),
  }),
  { selector: ({ model }) => model, minLength: 1, maxLength: 8 },
);

test('names every target once, those without a weight behind the others as they are listed', () => {
  fc.assert(
    fc.property(targets, fc.string(), (all, key) => {
      const order = orderOf(all, key);
      expect([...order].sort()).toEqual(all.map(({ model }) => model).sort());
      const listed = all.filter(({ weight }) => weight === undefined).map(({ model }) => model);
      expect(order.slice(order.length - listed.length)).toEqual(listed);
      expect(orderOf(all, key)).toEqual(order);
    }),
  );
});

test('keeps the order of the others when a target goes', () => {
  fc.assert(
    fc.property(targets, fc.string(), fc.nat(), (all, key, nth) => {
      const gone = all[nth % all.length] as Target;
      const left = all.filter((target) => target !== gone);
      expect(orderOf(left, key)).toEqual(orderOf(all, key).filter((model) => model !== gone.model));
    }),
  );
});

test('shares keys by weight', () => {
  const three = [
    { model: 'a', weight: 6 },
    { model: 'b', weight: 3 },
    { model: 'c', weight: 1 },
  ];
  const firsts = Array.from({ length: 10_000 }, (_, i) => orderOf(three, `req_${i}`)[0]);
  const shares = three.map(({ model }) => firsts.filter((first) => first === model).length / firsts.length);
  expect(shares[0]).toBeCloseTo(0.6, 1);
  expect(shares[1]).toBeCloseTo(0.3, 1);
  expect(shares[2]).toBeCloseTo(0.1, 1);
});
