import { Recent } from './recent';

const keys = (count: number, prefix = 'k'): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

test('keeps what is used and forgets what is not', () => {
  const recent = new Recent<string>(100);
  recent.set('used', 'yes');
  recent.set('idle', 'yes');
  for (const key of keys(1000)) {
    recent.set(key, key);
    expect(recent.get('used')).toBe('yes');
  }
  expect(recent.get('idle')).toBeUndefined();
  expect(recent.size).toBeLessThanOrEqual(102);
});

test('never forgets what is needed, and stays bounded all the same', () => {
  const recent = new Recent<string>(100, (value) => value === 'needed');
  for (const key of keys(200, 'n')) recent.set(key, 'needed');
  for (const key of keys(5000)) recent.set(key, 'idle');
  expect(keys(200, 'n').map((key) => recent.get(key))).toEqual(Array.from({ length: 200 }, () => 'needed'));
  expect(recent.size).toBeLessThan(1500);
});

test('lists every entry once, and deletes in both generations', () => {
  const recent = new Recent<string>(10);
  for (const key of keys(9)) recent.set(key, key);
  recent.get('k1');
  expect([...recent.values()].sort()).toEqual(keys(9));
  recent.delete('k1');
  recent.delete('k8');
  expect([recent.get('k1'), recent.get('k8'), recent.get('k2')]).toEqual([undefined, undefined, 'k2']);
});
