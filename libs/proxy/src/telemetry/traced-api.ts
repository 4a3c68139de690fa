import { PATH_OF, type Wire } from '../wire';

/** What is traced: calls of models, and the counting of their tokens, which is free and so never settled. */
export type TracedApi = Wire | 'count_tokens';

/** Well-known values of `gen_ai.operation.name`, and one of ours where there is none. */
export const OPERATION_OF: Readonly<Record<TracedApi, 'chat' | 'embeddings' | 'count_tokens'>> = {
  chat: 'chat',
  responses: 'chat',
  messages: 'chat',
  embeddings: 'embeddings',
  count_tokens: 'count_tokens',
};

export const ROUTE_OF: Readonly<Record<TracedApi, string>> = {
  ...{ count_tokens: '/v1/messages/count_tokens' },
  ...PATH_OF,
};

/** Whether what is asked and answered are messages: vectors and what they are made of are none, and what is counted is told when it is asked. */
export const carriesContent = (api: TracedApi): api is Exclude<TracedApi, 'embeddings' | 'count_tokens'> =>
  OPERATION_OF[api] === 'chat';
