import type { ModelEntry } from '@app/billing';
import { CodedError } from '@app/platform';
import type { RequestFacts } from './request-facts';
import type { Insertion } from './request-edit';

/**
 * How often each searching tool of a request may be used. Where it does not say, and its tenant would rather be limited than
 * refused, the catalogue's number is taken.
 * @throws CodedError `validation_failed`
 */
export function usesOf({ searches }: RequestFacts, { maxSearches }: ModelEntry, mayLimit: boolean): readonly number[] {
  return searches.map(({ name, maxUses, placeForUses }) => {
    const uses = maxUses ?? (mayLimit && placeForUses !== null ? maxSearches : null);
    if (uses != null) return uses;
    const problem = `set "max_uses" of the tool "${name}" to a whole number; without one nobody can say what the request may cost.`;
    throw new CodedError('validation_failed', `Please ${problem}`, {
      details: { fields: [{ field: 'tools.max_uses', problem }] },
    });
  });
}

/** What has to stand in the body where a tool was given its number by us. */
export const usesSet = ({ searches }: RequestFacts, uses: readonly number[]): readonly Insertion[] =>
  searches.flatMap(({ maxUses, placeForUses }, i) =>
    maxUses === null && placeForUses !== null ? [{ at: placeForUses, text: `"max_uses":${uses[i]},` }] : [],
  );
