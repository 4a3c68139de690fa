import type { Principal } from '@app/platform';
import type { RequestFacts } from '../request/request-facts';
import type { Plan } from '../route/router';
import type { Wire } from '../wire';
import { CallTrace } from './call-trace';
import { bounded, contentAttributes } from './content';

const told = (wire: Wire, asked: object, most = 10_000): Record<string, unknown> => {
  const call = new CallTrace(
    { id: 'tok_1', tenantId: 'finance' } as Principal,
    { id: 'req_1', api: wire, userAgent: undefined },
    null,
    true,
    { ended: () => undefined },
    100_000,
  );
  call.planned({} as RequestFacts, {} as Plan, Buffer.from(JSON.stringify(asked)), undefined);
  const attributes = contentAttributes(call, most);
  const messages = attributes['gen_ai.input.messages'];
  return { ...attributes, messages: messages === undefined ? undefined : JSON.parse(String(messages)) };
};

test('calls of tools and their results are parts of their own', () => {
  const messages = [
    { role: 'user', content: [{ type: 'text', text: 'Weather?' }] },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'c', type: 'function', function: { name: 'w', arguments: '{"at":1}' } }],
    },
    { role: 'tool', tool_call_id: 'c', content: 'rain' },
  ];
  expect(told('chat', { model: 'm', messages })['messages']).toEqual([
    { role: 'user', parts: [{ type: 'text', content: 'Weather?' }] },
    { role: 'assistant', parts: [{ type: 'tool_call', id: 'c', name: 'w', arguments: { at: 1 } }] },
    { role: 'tool', parts: [{ type: 'tool_call_response', id: 'c', response: [{ type: 'text', content: 'rain' }] }] },
  ]);
});

test('bytes of an image are left out', () => {
  const source = { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' };
  const asked = { model: 'm', max_tokens: 1, messages: [{ role: 'user', content: [{ type: 'image', source }] }] };
  expect(told('messages', asked)['messages']).toEqual([
    { role: 'user', parts: [{ type: 'blob', modality: 'image', mime_type: 'image/png', content: '' }] },
  ]);
});

test('what cannot be read, and what vectors are made of, is told nowhere', () => {
  expect(told('chat', { messages: 5 })['messages']).toBeUndefined();
  expect(told('embeddings', { input: 'secret' })['messages']).toBeUndefined();
});

test('what is too long is cut, and says so', () => {
  const messages = Array.from({ length: 10 }, (_, i) => ({ role: 'user', content: `${i}${'x'.repeat(400)}` }));
  const cut = told('chat', { model: 'm', messages }, 1_024);
  expect(cut['openclawmu.content.truncated']).toBe(true);
  expect(JSON.stringify(cut['messages'])).toContain('9xx');
  const one = bounded([{ role: 'user', parts: [{ type: 'text', content: 'ü'.repeat(5_000) }] }], 1_024);
  expect(Buffer.byteLength(one.text)).toBeLessThanOrEqual(1_024);
  expect(JSON.parse(one.text)).toMatchObject([{ role: 'user' }]);
});
