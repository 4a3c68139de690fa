import type { RequestFacts } from '../request/request-facts';
import { KeySet } from '../scan/key-set';
import { scanObject } from '../scan/request-scan';

/** What Anthropic's count of tokens takes of a message request (https://platform.claude.com/docs/en/api/messages-count-tokens). */
const COUNTED_KEYS = new KeySet(['messages', 'system', 'tools', 'tool_choice', 'thinking', 'output_config']);

/** The body of a question for Anthropic's `/v1/messages/count_tokens`: those members of the request, as they were sent. */
export function countQuestion(body: Buffer, upstreamModel: string): Buffer {
  const scanned = scanObject(body, COUNTED_KEYS);
  const members = scanned.ok ? [...scanned.object.members] : [];
  return Buffer.concat([
    Buffer.from(`{"model":${JSON.stringify(upstreamModel)}`),
    ...members.flatMap(({ key, valueStart, valueEnd }) => [
      Buffer.from(`,"${key}":`),
      body.subarray(valueStart, valueEnd),
    ]),
    Buffer.from('}'),
  ]);
}

/** The body with `null` in the place of each picture, document and recording. */
export function withoutMedia(body: Buffer, { media }: RequestFacts): Buffer {
  const pieces: Buffer[] = [];
  let at = 0;
  for (const { start, end } of media) {
    pieces.push(body.subarray(at, start), Buffer.from('null'));
    at = end;
  }
  pieces.push(body.subarray(at));
  return Buffer.concat(pieces);
}
