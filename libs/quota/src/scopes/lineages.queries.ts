import type { Tx } from '@app/platform';
import { EACH, type Owner } from './scope';

/** Of tokens that were named by somebody else, or an earlier process: by whose id their budgets go. One that is not there is a line by itself. */
export async function lineagesOf(tx: Tx, tokenIds: Iterable<string>): Promise<(tokenId: string) => string> {
  const rotated = await tx.query<{ id: string; lineage: string }>(
    'SELECT id, lineage FROM tokens WHERE id = ANY($1::text[]) AND lineage IS NOT NULL',
    [[...new Set(tokenIds)]],
  );
  const lineages = new Map(rotated.map(({ id, lineage }) => [id, lineage]));
  return (tokenId) => lineages.get(tokenId) ?? tokenId;
}

/** Who has the budget that is meant: for a token that came of rotations, the first of its line. */
export async function holderOf(tx: Tx, owner: Owner): Promise<Owner> {
  if (owner.scope !== 'token' || owner.target === EACH) return owner;
  const lineageOf = await lineagesOf(tx, [owner.target]);
  return { ...owner, target: lineageOf(owner.target) };
}
