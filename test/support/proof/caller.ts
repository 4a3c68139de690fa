import { Agent, request } from 'undici';
import type { PlannedCall } from './scenario';

/** What the caller got. */
export interface Received {
  /** 0 when the connection ended before an answer, or the caller left. */
  readonly status: number;
  /** The whole answer, to its last byte. */
  readonly complete: boolean;
  /** 32 hex digits the gateway told; the ledger row has them as its id. */
  readonly requestId: string | undefined;
  /** Our own error code, if the gateway refused it. */
  readonly refusal?: string | undefined;
}

/** Bodies are equally long, so that the worst case depends on the output limit alone. */
export const BODY_BYTES = 400;

/** The same with the answer itself, which nobody keeps for long. */
export interface Answered extends Received {
  readonly text: string;
}

const PATHS = { openai: '/v1/chat/completions', anthropic: '/v1/messages' } as const;
const LAST_EVENT = { openai: 'data: [DONE]', anthropic: '"type":"message_stop"' } as const;

/** Makes calls as departments do, straight on the wire, and leaves some of them midway. */
export class Caller {
  private readonly agent = new Agent({ connections: null, headersTimeout: 60_000, bodyTimeout: 60_000 });

  async call(origin: string, token: string, call: PlannedCall): Promise<Answered> {
    let status = 0;
    let requestId: string | undefined;
    const signal = call.leavesAfterMs === null ? null : AbortSignal.timeout(call.leavesAfterMs);
    try {
      const answer = await request(origin + PATHS[call.dialect], {
        dispatcher: this.agent,
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: bodyOf(call),
        signal,
      });
      status = answer.statusCode;
      requestId = /^req_([0-9a-f]{32})$/.exec(String(answer.headers['x-openclawmu-request-id']))?.[1];
      const text = await answer.body.text();
      const whole = call.stream ? text.includes(LAST_EVENT[call.dialect]) : isJson(text);
      const refusal = status === 200 ? undefined : /"gateway_code":"(\w+)"/.exec(text)?.[1];
      return { status, complete: status === 200 && whole, requestId, refusal, text };
    } catch {
      return { status: status === 200 ? 200 : 0, complete: false, requestId, text: '' };
    }
  }

  close(): Promise<void> {
    return this.agent.destroy();
  }
}

function bodyOf({ dialect, model, maxTokens, stream, user }: PlannedCall): string {
  const openai = user === null ? {} : { user };
  const asker = dialect === 'openai' || user === null ? openai : { metadata: { user_id: user } };
  const body = (content: string): string =>
    JSON.stringify({ model, max_tokens: maxTokens, stream, ...asker, messages: [{ role: 'user', content }] });
  return body('.'.repeat(BODY_BYTES - body('').length));
}

function isJson(text: string): boolean {
  try {
    return typeof JSON.parse(text) === 'object';
  } catch {
    return false;
  }
}
