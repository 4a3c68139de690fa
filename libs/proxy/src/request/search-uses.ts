import type { ModelEntry, ModelPrice } from '@app/billing';
import { invalidField } from '@app/platform';
import { pricesSearch } from '../money/priced-features';
import { Skipper } from '../scan/json-steps';
import type { Edits } from '../scan/request-edit';
import { eachElement } from '../scan/request-scan';
import type { RequestFacts, SearchTool } from './request-facts';

/**
 * How often each searching tool of a request may be used. Where it does not say, and its tenant would rather be limited than
 * refused, the catalogue's number is taken. A tool that may be taken out gets that number in any case, and none where the card
 * has no price for a search.
 * @throws CodedError `validation_failed`
 */
export function usesOf(
  { searches }: RequestFacts,
  { maxSearches }: ModelEntry,
  price: ModelPrice,
  mayLimit: boolean,
): readonly number[] {
  return searches.map(({ name, maxUses, placeForUses, optionalAt }) => {
    if (optionalAt !== null) return pricesSearch(price) ? (maxUses ?? maxSearches ?? 0) : 0;
    const uses = maxUses ?? (mayLimit && placeForUses !== null ? maxSearches : null);
    if (uses != null) return uses;
    throw invalidField(
      'tools.max_uses',
      `must be a whole number for the tool "${name}"; without one nobody can say what the request may cost`,
    );
  });
}

/** Whether a tool is taken out of a request: nobody bounds or prices its uses. */
const isDropped = ({ optionalAt }: SearchTool, uses: number | undefined): boolean => optionalAt !== null && uses === 0;

/** OpenAI bills a search for each answer of a searching chat model, and does not count it in the usage. */
export const silentSearches = ({ searches, choices }: RequestFacts): number =>
  searches.some(({ name }) => name === 'web_search_options') ? choices : 0;

/** The kinds of tools that are taken out of a request, for its caller to know. */
export const toolsDropped = ({ searches }: RequestFacts, uses: readonly number[]): readonly string[] => [
  ...new Set(searches.flatMap((tool, i) => (isDropped(tool, uses[i]) ? [`tools.${tool.name}`] : []))),
];

/** What has to be changed in the body where a tool was given its number by us, or is taken out. */
export function searchEdits(body: Buffer, facts: RequestFacts, uses: readonly number[]): Pick<Edits, 'set' | 'insert'> {
  const insert = facts.searches.flatMap(({ maxUses, placeForUses }, i) =>
    maxUses === null && placeForUses !== null ? [{ at: placeForUses, text: `"max_uses":${uses[i]},` }] : [],
  );
  const set: Record<string, string> = {};
  const optional = facts.searches.filter(({ optionalAt }) => optionalAt !== null);
  const dropped = facts.searches.filter((tool, i) => isDropped(tool, uses[i])).map(({ optionalAt }) => optionalAt);
  if (dropped.length > 0) set['tools'] = toolsWithout(body, facts, new Set(dropped));
  const [first] = optional;
  if (first?.maxUses === null && dropped.length < optional.length)
    set['max_tool_calls'] = String(uses[facts.searches.indexOf(first)]);
  return { set, insert };
}

/** The list of tools without those that stand at some places, as raw text. */
function toolsWithout(body: Buffer, { object }: RequestFacts, places: ReadonlySet<number | null>): string {
  const kept: string[] = [];
  const skipper = new Skipper(body);
  const tools = object.members.get('tools');
  if (tools)
    eachElement(body, tools.valueStart, (start) => {
      const end = skipper.value(start);
      if (!places.has(start)) kept.push(body.toString('utf8', start, end));
      return end;
    });
  return `[${kept.join(',')}]`;
}
