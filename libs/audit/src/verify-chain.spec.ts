import { createHash, generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { makeChain } from '../fixtures/make-chain';
import { readLink, type Position } from './chain';
import { keyIdOf, signCheckpoint, type Checkpoint, type SigningKey } from './checkpoint';
import { verifyChain } from './verify-chain';

const chain = makeChain(12);
const newKey = (): SigningKey => {
  const pair = generateKeyPairSync('ed25519');
  return { ...pair, id: keyIdOf(pair.publicKey) };
};
const key = newKey();
const positionOf = (lines: readonly string[], seq: number): Position => readLink(lines[seq - 1] ?? '') as Position;
const checkpointOf = (seq: number, signer = key, lines = chain): Checkpoint =>
  signCheckpoint(signer, positionOf(lines, seq), new Date('2026-11-22T12:00:00Z'));
const text = (checkpoints: readonly Checkpoint[]): string[] => checkpoints.map((c) => JSON.stringify(c));
const faultOf = async (...args: Parameters<typeof verifyChain>) => (await verifyChain(...args)).fault;

describe('verifyChain', () => {
  it('accepts what was written', async () => {
    const checkpoints = text([checkpointOf(5), checkpointOf(12)]);
    expect(await verifyChain(chain, { checkpoints, publicKey: key.publicKey })).toEqual({
      ok: true,
      records: 12,
      lastSeq: 12,
      lastHash: positionOf(chain, 12).hash,
      checkpoints: 2,
      signatures: 'verified',
      fault: null,
    });
  });

  it('accepts an empty log', async () => {
    expect(await verifyChain([])).toMatchObject({ ok: true, records: 0, lastSeq: 0 });
  });

  it('finds any one character edited, at its record', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(chain.length - 1),
        fc.nat(400),
        fc.constantFrom('0', 'f', 'x', ' '),
        async (n, at, put) => {
          const line = chain[n] as string;
          const place = at % line.length;
          fc.pre(line[place] !== put);
          const edited = chain.with(n, line.slice(0, place) + put + line.slice(place + 1));
          const fault = await faultOf(edited);
          expect(fault).not.toBeNull();
          expect(['edited', 'unreadable', 'dropped', 'reordered']).toContain(fault?.kind);
        },
      ),
    );
  });

  it('finds an edit whose own hash was made to fit', async () => {
    const forged = makeChain(12).map((line) => line.replace('tenant.changed', 'tenant.deleted'));
    const other = makeChain(6)[5] as string;
    const rehashed = rehash(other.replace('Name 6', 'Name 7'));
    expect(await faultOf(chain.with(5, rehashed))).toMatchObject({ kind: 'edited', seq: 6 });
    expect(await faultOf(forged)).toMatchObject({ kind: 'edited', seq: 1 });
  });

  it.each([
    [1, 1, 'Record 1 is missing.'],
    [4, 6, 'Records 4 to 6 are missing.'],
  ])('finds records %d to %d dropped', async (first, last, message) => {
    const left = chain.filter((_, n) => n + 1 < first || n + 1 > last);
    expect(await faultOf(left)).toEqual({ kind: 'dropped', seq: first, message });
  });

  it('tells a swap and a repetition from a loss', async () => {
    const swapped = chain.with(3, chain[4] as string).with(4, chain[3] as string);
    expect(await faultOf(swapped)).toMatchObject({ kind: 'reordered', seq: 4 });
    expect(await faultOf([...chain.slice(0, 4), ...chain.slice(3)])).toMatchObject({ kind: 'reordered', seq: 4 });
  });

  it('finds a cut end by a checkpoint, and only by that', async () => {
    const left = chain.slice(0, 8);
    expect(await faultOf(left)).toBeNull();
    expect(await faultOf(left, { checkpoints: text([checkpointOf(10)]) })).toMatchObject({ kind: 'cut', seq: 9 });
  });

  it('finds a chain that was rewritten as a whole', async () => {
    const rewritten = makeChain(12, '2026-11-22T10:00:00.001Z');
    expect(await faultOf(rewritten)).toBeNull();
    expect(await faultOf(rewritten, { checkpoints: text([checkpointOf(7)]) })).toMatchObject({
      kind: 'rewritten',
      seq: 7,
    });
  });

  it('finds a checkpoint of another key, an altered one, and a line that is none', async () => {
    const { publicKey } = key;
    const rewritten = makeChain(12, '2026-11-22T10:00:00.001Z');
    const stranger = checkpointOf(7, newKey(), rewritten);
    for (const bad of [stranger, { ...stranger, keyId: key.id }, { ...checkpointOf(7), seq: 8 }])
      expect(await faultOf(rewritten, { checkpoints: text([bad]), publicKey })).toMatchObject({ kind: 'forged' });
    expect(await faultOf(chain, { checkpoints: ['{}'] })).toMatchObject({ kind: 'forged', seq: null });
  });

  it('begins where it is told to', async () => {
    expect(await faultOf(chain.slice(4))).toMatchObject({ kind: 'dropped', seq: 1 });
    expect(await faultOf(chain.slice(4), { firstSeq: 5 })).toBeNull();
    expect(await faultOf(chain.slice(5), { firstSeq: 5 })).toMatchObject({ kind: 'dropped', seq: 5 });
  });

  it('does not take a line that is no record for one', async () => {
    for (const line of ['', 'null', '[]', '{}', '{"seq":3}'])
      expect(await faultOf(chain.with(2, line))).toMatchObject({ kind: 'unreadable', seq: 3 });
  });
});

function rehash(line: string): string {
  const open = line.slice(0, line.lastIndexOf(',"hash"'));
  return `${open},"hash":"${createHash('sha256').update(`${open}}`).digest('hex')}"}`;
}
