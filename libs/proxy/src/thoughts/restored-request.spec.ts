import { Secret } from '@app/platform';
import type { Intake } from '../request/intake';
import { readRequest } from '../request/request-reader';
import type { Candidate } from '../route/router';
import type { ProviderWire, Wire } from '../wire';
import { restoredRequest } from './restored-request';
import { sealedBlocks } from './sealed-blocks';
import { familyOf } from './thought-family';
import { openThought, sealThought, type SealedThought } from './thought-seal';

const KEY = { id: 'k', key: new Secret(Buffer.alloc(32, 7).toString('base64')) };
const TEXT = 'Ask ann@example.com \u2028"now"';
const TOLD = 'Ask [email removed] \u2028"now"';
const THOUGHT: SealedThought = { family: 'claude', texts: [TEXT], signature: 'c2lnbmF0dXJl/+==' };
const SEAL = sealThought(KEY, 'finance', THOUGHT, [TOLD]);
const OTHER = sealThought(KEY, 'finance', { ...THOUGHT, family: 'provider own' }, [TOLD]);

const candidate = (provider: string, upstreamModel: string, wire: ProviderWire): Candidate => ({
  ...{ provider, upstreamModel, wire },
  model: { id: `${provider}/${upstreamModel}` } as Candidate['model'],
});
const CLAUDE = candidate('anthropic', 'claude-opus-5', 'messages');
const BEDROCK = candidate('bedrock', 'eu.anthropic.claude-sonnet-5-v1:0', 'messages');
const OWN = candidate('own', 'llama', 'messages');
const GPT = candidate('openai', 'gpt-6', 'responses');

function taken(wire: Wire, body: string, ...candidates: [Candidate, ...Candidate[]]): Intake {
  const request = { id: 'req_1', wire, path: '/', headers: {}, body: Buffer.from(body) };
  const plan = { publicModel: 'm', candidates, rules: null };
  return { request, facts: readRequest(wire, request.body), policy: null, plan, shown: request.body };
}

function restored(intake: Intake) {
  const { wire, body } = intake.request;
  const thoughts = sealedBlocks(wire, body).map(({ sealed, told }) => {
    const opened = openThought([KEY], 'finance', sealed, told);
    if (!opened.ok) throw new Error(opened.code);
    return [sealed, opened.thought] as const;
  });
  const { request, facts, plan, shown } = restoredRequest(intake, new Map(thoughts));
  expect(shown).toBe(body);
  expect(facts.bodyBytes).toBe(request.body.length);
  return { body: request.body.toString('utf8'), candidates: plan.candidates };
}

const block = (signature: string, thinking = TOLD): string =>
  `{"type":"thinking",  "thinking":${JSON.stringify(thinking)},"signature":"${signature}", "x" : 1.0}`;
const messages = (...blocks: readonly string[]): string =>
  `{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"x"}, {"role":"assistant","content":[${blocks.join(' , ')},` +
  `{"type":"redacted_thinking","data":"cmVk"},{"type":"tool_use","id":"t","name":"f","input":{"n":1.50}}]}]}`;
const whole = block(THOUGHT.signature, TEXT);

test('thoughts are put back where they were, and every other byte stays', () => {
  const body = messages(block(SEAL), block('b3duIHNpZ25hdHVyZQ'), block(SEAL));
  expect(restored(taken('messages', body, CLAUDE))).toEqual({
    body: messages(whole, block('b3duIHNpZ25hdHVyZQ'), whole),
    candidates: [CLAUDE],
  });
});

test('in chat completions and responses too', () => {
  const chat = (thought: string): string =>
    `{"model":"m","messages":[{"role":"assistant","content":"x","reasoning_content":"y","thinking_blocks":[${thought}]}]}`;
  expect(restored(taken('chat', chat(block(SEAL)), CLAUDE)).body).toBe(chat(whole));
  const item = (text: string, seal: string): string =>
    `{"model":"m","input":[{"role":"user","content":"x"},{"id":"rs_1","type":"reasoning","summary":` +
    `[{"type":"summary_text","text":${JSON.stringify(text)}}],"encrypted_content":"${seal}"}]}`;
  expect(restored(taken('responses', item(TOLD, SEAL), CLAUDE)).body).toBe(item(TEXT, THOUGHT.signature));
});

test.each([
  ['of the user', `{"model":"m","messages":[{"role":"user","content":[${block(SEAL)}]}]}`],
  ['in the input of a tool', messages(`{"type":"tool_use","id":"t","name":"f","input":${block(SEAL)}}`)],
  ['in its result', messages(`{"type":"tool_result","tool_use_id":"t","content":[${block(SEAL)}]}`)],
  ['as a text', messages(`{"type":"text","text":${JSON.stringify(block(SEAL))}}`)],
  ['with two texts', messages(`{"type":"thinking","thinking":"x","thinking":"y","signature":"${SEAL}"}`)],
])('a block %s is left alone', (_, body) => {
  expect(sealedBlocks('messages', Buffer.from(body))).toEqual([]);
});

test('its place is told, in the words of the API', () => {
  const body = Buffer.from(messages(block('x'), block(SEAL)));
  expect(sealedBlocks('messages', body).map(({ where }) => where)).toEqual(['messages[1].content[1]']);
});

test('only whoever takes a thought back gets it', () => {
  expect([CLAUDE, BEDROCK, OWN].map(familyOf)).toEqual(['claude', 'claude', 'provider own']);
  const body = messages(block(SEAL), block(OTHER));
  const ask = (...candidates: [Candidate, ...Candidate[]]) => restored(taken('messages', body, ...candidates));
  const forClaude = messages(whole, block(OTHER));
  expect(ask(CLAUDE, OWN, BEDROCK, GPT)).toEqual({ body: forClaude, candidates: [CLAUDE, BEDROCK, GPT] });
  // What is translated for it leaves thoughts out, so it may be asked before.
  expect(ask(GPT, CLAUDE)).toEqual({ body: forClaude, candidates: [GPT, CLAUDE] });
  expect(ask(OWN, CLAUDE)).toEqual({ body: messages(block(SEAL), whole), candidates: [OWN] });
  expect(ask(candidate('third', 'mistral', 'messages'), CLAUDE).body).toBe(body);
  expect(ask(GPT).body).toBe(body);
});
