import { egressOf, maskKeys, outboundConnector, type GatewayConfig, type WebhookConfig } from '@app/platform';
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

/**
 * Carries a notice to its receiver, over a connection of its own: notices are rare, and a kept one could be closed at that moment.
 * Never throws; follows no redirect.
 */
export async function send(
  endpoint: WebhookConfig,
  { id, body }: Letter,
  general: GatewayConfig['egress'],
  stop: AbortSignal,
): Promise<Answer> {
  const connect = outboundConnector(egressOf(endpoint, general, CONNECT_MS));
  const agent = new Agent({ pipelining: 0, connect });
  try {
    const answer = await request(endpoint.url, {
      dispatcher: agent,
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'openclawmu-webhooks',
        ...signatureHeaders(id, body, endpoint.secrets, new Date()),
      },
      body,
      signal: AbortSignal.any([stop, AbortSignal.timeout(ATTEMPT_MS)]),
    });
    await answer.body.dump({ limit: MOST_ANSWER_BYTES }).catch(() => undefined);
    const retryAfter = answer.headers['retry-after'];
    return { status: answer.statusCode, retryAfter: Array.isArray(retryAfter) ? retryAfter[0] : retryAfter };
  } catch (error) {
    return { status: null, error: maskKeys(wordsOf(error)).slice(0, ERROR_CHARACTERS) };
  } finally {
    await agent.destroy();
  }
}

function wordsOf(error: unknown): string {
  const { name, message, code } = error as Error & { code?: string };
  if (name === 'TimeoutError') return `no answer within ${ATTEMPT_MS / 1000} s`;
  if (name === 'AbortError') return 'the gateway was stopped';
  return message || code || name;
}
