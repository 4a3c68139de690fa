import { anthropicClient, openaiClient } from './fake-provider/sdk-clients';

/** One of the ways in which departments call: either SDK, streaming or not. */
export interface CallKind {
  readonly dialect: 'openai' | 'anthropic';
  readonly stream: boolean;
}

export const CALL_KINDS: readonly CallKind[] = [
  { dialect: 'openai', stream: true },
  { dialect: 'anthropic', stream: true },
  { dialect: 'openai', stream: false },
  { dialect: 'anthropic', stream: false },
];

const BODY_BYTES = 400;

/**
 * Calls with an official SDK and reads the answer to its end. Bodies of the same `maxTokens` are equally long whatever the
 * kind, so all of them are quoted alike.
 * @param model the fake's name for it, without the dialect's prefix
 */
export async function callModel(
  origin: string,
  token: string,
  { dialect, stream }: CallKind,
  model: string,
  maxTokens = 1_000,
): Promise<void> {
  const body = {
    model: dialect === 'openai' ? model : `claude/${model}`,
    max_tokens: maxTokens,
    stream,
    messages: [{ role: 'user' as const, content: '' }],
  };
  const message = { role: 'user' as const, content: '.'.repeat(BODY_BYTES - JSON.stringify(body).length) };
  const params = { ...body, messages: [message] };
  const answer =
    dialect === 'openai'
      ? await openaiClient(origin, token).chat.completions.create(params)
      : await anthropicClient(origin, token).messages.create(params);
  if (Symbol.asyncIterator in answer) for await (const _ of answer);
}
