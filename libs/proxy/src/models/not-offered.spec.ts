import { notOffered } from './not-offered';

test.each([
  ['/v1/responses/resp_1', 'answer_not_kept'],
  ['/v1/responses/resp_1/', 'answer_not_kept'],
  ['/v1/responses/resp_1/input_items', 'answer_not_kept'],
  ['/v1/responses/resp_1/cancel', 'answer_not_kept'],
  ['/v1/chat/completions/chatcmpl_1/messages', 'answer_not_kept'],
  ['/v1/files', 'state_not_offered'],
  ['/v1/files/file_1/content', 'state_not_offered'],
  ['/v1/conversations/conv_1/items', 'state_not_offered'],
  ['/v1/messages/batches', 'state_not_offered'],
  ['/v1/messages/batches/msgbatch_1/results', 'state_not_offered'],
  ['/v1/threads/thread_1/runs', 'state_not_offered'],
  ['/v1/responses/compact', 'api_not_offered'],
  ['/v1/responses/input_tokens', 'api_not_offered'],
  ['/v1/images/generations', 'api_not_offered'],
  ['/v1/completions', 'api_not_offered'],
  ['/v1/chat/completions/../../api', 'route_not_found'],
  ['/v1/filesystem', 'route_not_found'],
  ['/v1/responses', 'route_not_found'],
  ['/v1/nonsense', 'route_not_found'],
  ['/files', 'route_not_found'],
])('%s: %s', (path, code) => expect(notOffered(path).code).toBe(code));

test.each([
  ['/chat/completions', 'end the client'],
  ['/models/gpt-5.4', 'end the client'],
  ['/v1/v1/messages', 'take it off'],
])('%s says how the base URL is wrong', (path, remedy) => {
  expect(notOffered(path)).toMatchObject({
    code: 'route_not_found',
    message: expect.stringContaining(remedy) as string,
  });
});

test('other unknown paths say nothing of it', () => {
  expect(notOffered('/api/v1/models').message).toBe('There is no such route.');
});
