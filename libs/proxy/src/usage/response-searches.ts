import { KeySet } from '../scan/key-set';
import { eachElement, type JsonObject, kindAt, type Member, membersAt } from '../scan/request-scan';

const ITEM_KEYS = new KeySet(['type', 'action']);
const ACTION_KEYS = new KeySet(['type']);
const SEARCH_CALL = '"web_search_call"';
const SEARCH = '"search"';

/**
 * How many searches a response has among its output. Opening a page and looking through it are calls as well, but not billed
 * (https://platform.openai.com/docs/guides/tools-web-search); earlier models say no more than that there was a call.
 */
export function searchesIn(body: Buffer, output: Member | undefined): number {
  let searches = 0;
  if (!output || kindAt(body, output.valueStart) !== 'array') return 0;
  const isText = (object: JsonObject, key: string, text: string): boolean => {
    const member = object.members.get(key);
    return member !== undefined && body.toString('latin1', member.valueStart, member.valueEnd) === text;
  };
  eachElement(body, output.valueStart, (start) => {
    if (kindAt(body, start) !== 'object') return undefined;
    const item = membersAt(body, start, ITEM_KEYS);
    if (!item.ok) return undefined;
    if (isText(item.object, 'type', SEARCH_CALL)) {
      const action = item.object.members.get('action');
      const told =
        action && kindAt(body, action.valueStart) === 'object' && membersAt(body, action.valueStart, ACTION_KEYS);
      if (!told || !told.ok || isText(told.object, 'type', SEARCH)) searches += 1;
    }
    return item.object.close + 1;
  });
  return searches;
}
