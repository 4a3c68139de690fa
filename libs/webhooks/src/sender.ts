import { maskKeys, publicConnector, type WebhookConfig } from '@app/platform';
import { Agent, request } from 'undici';
import type { Answer } from './outcome';
import { signatureHeaders } from './signature';

const CONNECT_MS = 10_000;
/** Standard Webhooks asks for 15 to 30 seconds. */
export const ATTEMPT_MS = 20_000;
/** What is read of an answer's body, only so that its sender may finish; nothing of it is kept. */
const MOST_ANSWER_BYTES = 4_096;
const ERROR_CHARACTERS = 200;

export interface Letter {
  readonly id: string;
  readonly body: string;
}

/** Carries notices to receivers. A connection for each: they are rare, and a kept one could be closed at that moment. */
export class Sender {
  readonly #public = new Agent({ pipelining: 0, connect: publicConnector({ timeout: CONNECT_MS }) });
  readonly #internal = new Agent({ pipelining: 0, connect: { timeout: CONNECT_MS } });

  /** Never throws; follows no redirect. */
  async send({ url, secrets, internal }: WebhookConfig, { id, body }: Letter, stop: AbortSignal): Promise<Answer> {
    try {
      const answer = await request(url, {
        dispatcher: internal ? this.#internal : this.#public,
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'user-agent': 'openclawmu-webhooks',
          ...signatureHeaders(id, body, secrets, new Date()),
        },
        body,
        signal: AbortSignal.any([stop, AbortSignal.timeout(ATTEMPT_MS)]),
      });
      await answer.body.dump({ limit: MOST_ANSWER_BYTES }).catch(() => undefined);
      const retryAfter = answer.headers['retry-after'];
      return { status: answer.statusCode, retryAfter: Array.isArray(retryAfter) ? retryAfter[0] : retryAfter };
    } catch (error) {
      return { status: null, error: maskKeys(wordsOf(error)).slice(0, ERROR_CHARACTERS) };
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#public.destroy(), this.#internal.destroy()]);
  }
}

function wordsOf(error: unknown): string {
  const { name, message, code } = error as Error & { code?: string };
  if (name === 'TimeoutError') return `no answer within ${ATTEMPT_MS / 1000} s`;
  if (name === 'AbortError') return 'the gateway was stopped';
  return message || code || name;
}
