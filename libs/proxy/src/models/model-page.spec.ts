import { pageOf, type PageAsked } from './model-page';

const list = Array.from({ length: 45 }, (_, n) => ({ id: `m${n}` }));
const page = (asked: Partial<PageAsked>) => {
  const { page: found, hasMore } = pageOf(list, {
    limit: undefined,
    afterId: undefined,
    beforeId: undefined,
    ...asked,
  });
  return [found[0]?.id, found.at(-1)?.id, found.length, hasMore];
};

test('a page begins where the last one ended', () => {
  expect(page({})).toEqual(['m0', 'm19', 20, true]);
  expect(page({ afterId: 'm19' })).toEqual(['m20', 'm39', 20, true]);
  expect(page({ afterId: 'm39' })).toEqual(['m40', 'm44', 5, false]);
  expect(page({ afterId: 'm44' })).toEqual([undefined, undefined, 0, false]);
  expect(page({ limit: '1000' })).toEqual(['m0', 'm44', 45, false]);
  expect(page({ limit: '45' })).toEqual(['m0', 'm44', 45, false]);
});

test('and backwards as well', () => {
  expect(page({ beforeId: 'm40', limit: '5' })).toEqual(['m35', 'm39', 5, true]);
  expect(page({ beforeId: 'm3', limit: '5' })).toEqual(['m0', 'm2', 3, false]);
});

test.each<[Partial<PageAsked>, RegExp]>([
  [{ limit: '0' }, /^limit: must/],
  [{ limit: '1001' }, /^limit: must/],
  [{ limit: '1.5' }, /^limit: must/],
  [{ limit: 'all' }, /^limit: must/],
  [{ afterId: 'x' }, /^after_id: names no model/],
  [{ beforeId: 'x' }, /^before_id: names no model/],
])('%j is refused', (asked, message) => {
  expect(() => page(asked)).toThrow(
    expect.objectContaining({ code: 'validation_failed', message: expect.stringMatching(message) }),
  );
});
