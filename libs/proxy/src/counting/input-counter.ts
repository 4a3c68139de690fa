import type { Counted } from '../bounds/bounds';
import { headersToProvider } from '../headers';
import type { ModelRequest } from '../request/model-request';
import type { RequestFacts } from '../request/request-facts';
import type { Candidate } from '../route/router';
import type { CountAnswer, Upstream } from '../upstream';
import { countQuestion, withoutMedia } from './count-question';
import type { TokenCounter } from './token-counter';

/** Anthropic calls its count an estimate that may differ by a small amount from what is billed. */
const ESTIMATE_MARGIN = 1.05;
const ESTIMATE_TOKENS = 256;
/** A caller waits for this before it is refused, so it is short. */
const PATIENCE_MS = 2_000;
/** How long a provider that did not count is not asked again. */
const PAUSE_MS = 60_000;

/** Looks closer at the input of a request whose bytes bound it too loosely: counts here, or asks the provider, which is free. */
export class InputCounter {
  readonly #pausedUntil = new Map<string, number>();

  constructor(
    private readonly upstream: Upstream,
    private readonly tokens: TokenCounter,
  ) {}

  /** Null where nobody can count, or not in time. */
  async count(candidate: Candidate, facts: RequestFacts, request: ModelRequest): Promise<Counted | null> {
    const { tokenizer } = candidate.model;
    if (tokenizer) {
      const text = await this.tokens.count({ tokenizer, body: withoutMedia(request.body, facts) });
      return text === null ? null : { text };
    }
    return facts.wire === 'messages' && candidate.wire === 'messages' ? this.ask(candidate, request) : null;
  }

  private async ask({ provider, upstreamModel }: Candidate, { headers, body }: ModelRequest): Promise<Counted | null> {
    if ((this.#pausedUntil.get(provider) ?? 0) > performance.now()) return null;
    const question = countQuestion(body, upstreamModel);
    const sent = headersToProvider(headers, question.length);
    const asked = { query: '', headers: sent, body: question, patienceMs: PATIENCE_MS };
    const answer = await this.upstream.countTokens(provider, asked).catch(() => undefined);
    const tokens = answer ? countIn(answer) : null;
    if (tokens !== null) return { input: Math.ceil(tokens * ESTIMATE_MARGIN) + ESTIMATE_TOKENS };
    this.#pausedUntil.set(provider, performance.now() + PAUSE_MS);
    return null;
  }
}

function countIn({ status, body }: CountAnswer): number | null {
  if (status !== 200) return null;
  try {
    const told = JSON.parse(body.toString('utf8')) as { input_tokens?: unknown } | null;
    const tokens = told?.input_tokens;
    return typeof tokens === 'number' && Number.isSafeInteger(tokens) && tokens >= 0 ? tokens : null;
  } catch {
    return null;
  }
}
