import { NO_TOKENS } from '@app/billing';
import { CountReader, isObject, refused, type UsageResult } from './token-counts';

/**
 * Usage of Google's `UsageMetadata` (https://ai.google.dev/api/generate-content#UsageMetadata).
 *
 * `promptTokenCount` includes what a cache served; what tools of the provider brought is counted beside it, and so are
 * thoughts beside the candidates. The total is told with or without the tools' part.
 */
export function usageOfGemini(usage: unknown): UsageResult {
  if (!isObject(usage)) return refused('unreadable', 'usageMetadata');
  const read = new CountReader(usage);
  const prompt = read.required('promptTokenCount');
  const cacheRead = read.optional('cachedContentTokenCount') ?? 0;
  const tools = read.optional('toolUsePromptTokenCount') ?? 0;
  const candidates = read.optional('candidatesTokenCount') ?? 0;
  const reasoning = read.optional('thoughtsTokenCount') ?? 0;
  const total = read.optional('totalTokenCount');
  const cachedAudio = audioOf(usage['cacheTokensDetails']);
  const audioInput = audioOf(usage['promptTokensDetails']) - cachedAudio;
  const audioOutput = audioOf(usage['candidatesTokensDetails']);
  if (read.problem) return { ok: false, problem: read.problem };
  if (cacheRead + audioInput > prompt || audioInput < 0) return refused('subset_exceeds_whole', 'promptTokensDetails');
  if (audioOutput > candidates) return refused('subset_exceeds_whole', 'candidatesTokensDetails');
  const told = prompt + candidates + reasoning;
  if (total !== null && total !== told && total !== told + tools) return refused('inconsistent', 'totalTokenCount');
  const counts = {
    ...NO_TOKENS,
    input: prompt - cacheRead - audioInput + tools,
    audioInput,
    cacheRead,
    output: candidates - audioOutput,
    audioOutput,
    reasoning,
  };
  return { ok: true, usage: { counts, webSearches: 0, serviceTier: null } };
}

/** Tokens of sound in a list that tells tokens by modality. */
function audioOf(details: unknown): number {
  if (!Array.isArray(details)) return 0;
  const audio = details.find((one) => isObject(one) && one['modality'] === 'AUDIO') as unknown;
  const count = isObject(audio) ? audio['tokenCount'] : 0;
  return typeof count === 'number' && Number.isSafeInteger(count) ? count : 0;
}
