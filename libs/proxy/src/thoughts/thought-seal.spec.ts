import { Secret } from '@app/platform';
import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { openThought, sealThought } from './thought-seal';
import { ThoughtSealer } from './thought-sealer';

const keyNamed = (id: string) => ({ id, key: new Secret(randomBytes(32).toString('base64')) });
const [KEY, OLD] = [keyNamed('2026-11'), keyNamed('2026-05')];

const texts = fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 3 });
const thought = fc.record({ family: fc.string(), texts, signature: fc.string({ unit: 'binary' }) });
const tenant = fc.stringMatching(/^[a-z][a-z0-9-]{0,9}$/);
const FOREIGN = { ok: false, code: 'thought_foreign' };
const ALTERED = { ok: false, code: 'thought_altered' };

test('a thought comes back as it was sealed, to its tenant and beside the words it was told in', () => {
  fc.assert(
    fc.property(thought, tenant, texts, (whole, id, told) => {
      const sealed = sealThought(KEY, id, whole, told);
      expect(sealed).toMatch(/^openclawmu:thought:1:2026-11:[\w-]+$/);
      expect(openThought([KEY], id, sealed, told)).toEqual({ ok: true, thought: whole });
    }),
  );
});

test('told in other words it does not', () => {
  fc.assert(
    fc.property(thought, texts, texts, (whole, told, others) => {
      fc.pre(JSON.stringify(told) !== JSON.stringify(others));
      expect(openThought([KEY], 'finance', sealThought(KEY, 'finance', whole, told), others)).toEqual(ALTERED);
    }),
  );
});

test('to another tenant it says no more than one that is damaged, or sealed by a key that is not there', () => {
  fc.assert(
    fc.property(thought, tenant, tenant, texts, texts, (whole, id, other, told, words) => {
      fc.pre(id !== other);
      const sealed = sealThought(KEY, id, whole, told);
      for (const asked of [told, words]) expect(openThought([KEY, OLD], other, sealed, asked)).toEqual(FOREIGN);
      expect(openThought([OLD], id, sealed, told)).toEqual(FOREIGN);
      // Somebody else's key of that name.
      expect(openThought([keyNamed(KEY.id)], id, sealed, told)).toEqual(FOREIGN);
    }),
  );
});

test('with any character altered, added or cut off it does not open', () => {
  const sealed = sealThought(KEY, 'finance', { family: 'claude', texts: ['ask ann@example.com'], signature: 's' }, [
    'ask',
  ]);
  const character = fc.constantFrom(...'openclawmu:thought:1:2026-11ABC_- =/+é');
  fc.assert(
    fc.property(fc.nat(sealed.length - 1), fc.nat(2), character, (at, removed, added) => {
      const altered = sealed.slice(0, at) + added + sealed.slice(at + removed);
      fc.pre(altered !== sealed);
      expect(openThought([KEY, OLD], 'finance', altered, ['ask'])).toEqual(FOREIGN);
    }),
    { numRuns: 2_000 },
  );
  for (let end = 0; end < sealed.length; end++)
    expect(openThought([KEY], 'finance', sealed.slice(0, end), ['ask'])).toEqual(FOREIGN);
});

test('a key that was replaced opens what it sealed, as long as it is there', () => {
  const whole = { family: 'claude', texts: ['one'], signature: 's' };
  const sealed = sealThought(OLD, 'finance', whole, ['two']);
  expect(openThought([KEY, OLD], 'finance', sealed, ['two'])).toEqual({ ok: true, thought: whole });
  expect(openThought([], 'finance', sealed, ['two'])).toEqual(FOREIGN);
});

test('its length does not tell how long what was masked is, and twice the same does not look the same', () => {
  const sealed = (text: string) =>
    sealThought(KEY, 'finance', { family: 'claude', texts: [text], signature: 's' }, ['x']);
  expect(sealed('ann@example.com')).toHaveLength(sealed('bartholomew@mail.example.com').length);
  expect(sealed('ann')).not.toBe(sealed('ann'));
});

test('nothing is sealed of a thought that is told as it is, or that no model would write', () => {
  const sealer = new ThoughtSealer(KEY, 'finance');
  const long = 'x'.repeat(2 ** 20);
  expect(sealer.signatureFor('claude', { texts: ['ann'], signature: 's' }, ['ann'])).toBe('s');
  expect(sealer.signatureFor('claude', { texts: [long], signature: 's' }, ['x'])).toBe('s');
  expect(sealer.signatureFor('claude', { texts: ['ann'], signature: 's' }, ['x'])).toMatch(/^openclawmu:thought:/);
});
