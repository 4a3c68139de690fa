import { invalidField } from '@app/platform';

/** Where a page of the Anthropic API's list of models begins and how long it is, as the query has it. */
export interface PageAsked {
  readonly limit: string | undefined;
  readonly afterId: string | undefined;
  readonly beforeId: string | undefined;
}

export interface Page<T> {
  readonly page: readonly T[];
  readonly hasMore: boolean;
}

/** As https://platform.claude.com/docs/en/api/models-list has it. */
const USUAL_LENGTH = 20;
const MOST = 1_000;

/** One page of a list; before an id, it is the end of what stands there. @throws CodedError `validation_failed` */
export function pageOf<T extends { readonly id: string }>(list: readonly T[], asked: PageAsked): Page<T> {
  const { limit, afterId, beforeId } = asked;
  const length = limit === undefined ? USUAL_LENGTH : Number(limit);
  if (!Number.isInteger(length) || length < 1 || length > MOST)
    throw invalidField('limit', `must be a whole number from 1 to ${MOST}`);
  const from = afterId === undefined ? 0 : place(list, 'after_id', afterId) + 1;
  const to = beforeId === undefined ? list.length : place(list, 'before_id', beforeId);
  const found = list.slice(from, to);
  const isBackwards = beforeId !== undefined && afterId === undefined;
  return { page: isBackwards ? found.slice(-length) : found.slice(0, length), hasMore: found.length > length };
}

function place(list: readonly { readonly id: string }[], field: string, id: string): number {
  const at = list.findIndex((entry) => entry.id === id);
  if (at < 0) throw invalidField(field, `names no model you may use: "${id}"`);
  return at;
}
