import type { Candidate } from '../route/router';

/**
 * Who takes a thought back: Anthropic's signatures hold wherever Claude is served (Anthropic, Bedrock, Vertex, Azure); of other
 * models nobody but the provider that wrote a thought is to read it. Whether it may go from one Claude to another is Anthropic's to
 * judge. https://platform.claude.com/docs/en/build-with-claude/extended-thinking
 */
export const familyOf = ({ provider, upstreamModel }: Pick<Candidate, 'provider' | 'upstreamModel'>): string =>
  /claude/i.test(upstreamModel) ? 'claude' : `provider ${provider}`;
