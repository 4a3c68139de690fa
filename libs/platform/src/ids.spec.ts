import * as fc from 'fast-check';
import { dashed, newId, newSecret, uuid7 } from './ids';

const UUID7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('uuid7', () => {
  it('is a UUID of version 7 and the RFC’s variant, over several draws of random bytes', () => {
    for (let i = 0; i < 1_000; i++) expect(dashed(uuid7())).toMatch(UUID7);
  });

  it('begins with the millisecond, so ids sort by time', () => {
    const latest = Date.UTC(9999, 11, 31);
    fc.assert(
      fc.property(fc.nat(latest), fc.nat(latest), (a, b) => {
        expect(parseInt(uuid7(a).slice(0, 12), 16)).toBe(a);
        if (a < b) expect(uuid7(a) < uuid7(b)).toBe(true);
      }),
    );
  });

  it('never repeats, not in one millisecond either', () => {
    expect(new Set(Array.from({ length: 100_000 }, () => uuid7(1_700_000_000_000))).size).toBe(100_000);
  });

  it('uses all of its random bits', () => {
    const ids = Array.from({ length: 2_000 }, () => BigInt(`0x${uuid7(0)}`));
    const set = ids.reduce((bits, id) => bits | id, 0n);
    const unset = ids.reduce((bits, id) => bits | ~id, 0n);
    const random = (1n << 12n) - 1n;
    const tail = (1n << 62n) - 1n;
    expect([(set >> 64n) & random, (unset >> 64n) & random]).toEqual([random, random]);
    expect([set & tail, unset & tail]).toEqual([tail, tail]);
  });

  it('draws each digit anew: none is a copy of another one in its id or in the next', () => {
    const random = (): string => uuid7(0).replace(/^.{13}(...).(.*)$/, '$1$2');
    const pairs = Array.from({ length: 300 }, () => random() + random());
    const digits = Array.from({ length: 36 }, (_, at) => pairs.map((pair) => pair[at]).join(''));
    expect(new Set(digits).size).toBe(36);
  });
});

describe('ids', () => {
  it('carry their prefix', () => expect(newId('tok')).toMatch(/^tok_[0-9a-f]{12}7[0-9a-f]{19}$/));

  it('are told from another as PostgreSQL prints a UUID', () => {
    expect(dashed('0199f3a0c0de7000800000000000cafe')).toBe('0199f3a0-c0de-7000-8000-00000000cafe');
  });
});

describe('secrets', () => {
  it('are 32 hex digits and never the same', () => {
    const secrets = Array.from({ length: 10_000 }, newSecret);
    expect(new Set(secrets).size).toBe(10_000);
    for (const secret of secrets.slice(0, 100)) expect(secret).toMatch(/^[0-9a-f]{32}$/);
  });
});
