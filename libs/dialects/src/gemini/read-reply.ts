import { writeExact } from '../exact-json';
import { count, number, record, records, text, type Json } from '../json';
import type { Logprobs, Reply, ReplyPart, Stop, Usage } from '../reply';
import type { Seal } from '../seal';

/** Reads a whole answer of Google's generateContent. */
export function readGeminiReply(body: Json): Reply {
  const [candidate] = records(body['candidates']);
  const id = text(body['responseId']) ?? '';
  const parts: ReplyPart[] = [];
  let calls = 0;
  for (const part of partsOf(candidate)) {
    const last = parts.at(-1);
    const call = record(part['functionCall']);
    const said = text(part['text']);
    const seal = sealOf(part);
    const isThought = part['thought'] === true;
    if (seal && !isThought) sealThought(parts, seal, call !== undefined);
    if (call)
      parts.push({ kind: 'call', id: callId(call, id, calls++), name: text(call['name']) ?? '', args: argsOf(call) });
    else if (!said) continue;
    else if (isThought && last?.kind === 'thinking' && !last.seal)
      parts[parts.length - 1] = { ...last, text: last.text + said };
    else if (isThought) parts.push({ kind: 'thinking', text: said, seal });
    else if (last?.kind === 'text' && !seal) parts[parts.length - 1] = { ...last, text: last.text + said };
    else parts.push({ kind: 'text', text: said });
  }
  const logprobs = readLogprobs(candidate);
  const usage = record(body['usageMetadata']);
  return {
    id,
    parts: logprobs ? parts.map((part) => (part.kind === 'text' ? { ...part, logprobs } : part)) : parts,
    stop: stopOf(body, candidate, calls > 0),
    stopSequence: null,
    usage: usage ? readGeminiUsage(usage) : null,
  };
}

/**
 * A signature seals the thought before it, or one that was not told. Google wants that of a call back; that of words
 * behind other words says nothing that has to be kept.
 */
function sealThought(parts: ReplyPart[], seal: Seal, isOfCall: boolean): void {
  const last = parts.at(-1);
  if (last?.kind === 'thinking') parts[parts.length - 1] = { ...last, seal };
  else if (isOfCall || last?.kind !== 'text') parts.push({ kind: 'thinking', text: '', seal });
}

export const partsOf = (candidate: Json | undefined): Json[] => records(record(candidate?.['content'])?.['parts']);

export function sealOf(part: Json): Seal | null {
  const signature = text(part['thoughtSignature']);
  return signature ? { from: 'gemini', data: signature } : null;
}

/** Earlier models give their calls no id; the answer's own and a number make one that no other call has. */
export const callId = (call: Json, answer: string, index: number): string =>
  text(call['id']) ?? `call_${answer}_${index}`;

export const argsOf = (call: Json): string => writeExact(call['args'] ?? {});

/** Google counts the cached part within the prompt, and thoughts beside the candidates. */
export function readGeminiUsage(told: Json): Usage {
  const cacheRead = count(told['cachedContentTokenCount']);
  const reasoning = count(told['thoughtsTokenCount']);
  const prompt = count(told['promptTokenCount']) + count(told['toolUsePromptTokenCount']);
  return {
    input: Math.max(0, prompt - cacheRead),
    cacheRead,
    cacheWrite5m: 0,
    cacheWrite1h: 0,
    output: count(told['candidatesTokenCount']) + reasoning,
    reasoning,
  };
}

const REFUSALS = new Set([
  'SAFETY',
  'RECITATION',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SPII',
  'IMAGE_SAFETY',
  'LANGUAGE',
]);

/** A prompt that was blocked has no candidate at all. */
export function stopOf(body: Json, candidate: Json | undefined, called: boolean): Stop {
  if (record(body['promptFeedback'])?.['blockReason'] !== undefined) return 'refusal';
  const reason = text(candidate?.['finishReason']) ?? '';
  if (REFUSALS.has(reason)) return 'refusal';
  if (reason === 'MAX_TOKENS') return 'limit';
  return called ? 'calls' : 'end';
}

/** Google tells chosen tokens and their alternatives in two lists; OpenAI's form has the one within the other. */
export function readLogprobs(candidate: Json | undefined): Logprobs | undefined {
  const told = record(candidate?.['logprobsResult']);
  if (!told) return undefined;
  const alternatives = records(told['topCandidates']);
  return records(told['chosenCandidates']).map((chosen, index) => ({
    ...tokenOf(chosen),
    top_logprobs: records(alternatives[index]?.['candidates']).map(tokenOf),
  }));
}

function tokenOf(told: Json): object {
  const token = text(told['token']) ?? '';
  return { token, logprob: number(told['logProbability']) ?? 0, bytes: [...Buffer.from(token, 'utf8')] };
}
