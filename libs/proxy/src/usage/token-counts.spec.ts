import * as fc from 'fast-check';
import { countsOfAnthropic, mergeAnthropic } from './anthropic-usage';
import { countsOfOpenAi } from './openai-usage';
import { MAX_TOKENS, type UsageResult } from './token-counts';
import { readWholeUsage } from './whole-usage';

const why = (result: UsageResult): string => (result.ok ? 'taken' : `${result.problem.reason} ${result.problem.field}`);
const sum = (result: UsageResult): number => {
  if (!result.ok) throw new Error(result.problem.reason);
  return Object.values(result.counts as unknown as Record<string, number>).reduce((a, b) => a + b, 0);
};
const count = fc.nat({ max: 1_000_000 });

describe('countsOfOpenAi', () => {
  const usage = (more: object): UsageResult => countsOfOpenAi({ prompt_tokens: 10, completion_tokens: 5, ...more });

  it.each([
    [null, 'unreadable usage'],
    [[], 'unreadable usage'],
    ['12', 'unreadable usage'],
    [{}, 'missing prompt_tokens'],
    [{ prompt_tokens: '10' }, 'not_a_count prompt_tokens'],
    [{ prompt_tokens: -1 }, 'not_a_count prompt_tokens'],
    [{ prompt_tokens: 1.5 }, 'not_a_count prompt_tokens'],
    [{ prompt_tokens: Number.MAX_VALUE }, 'too_large prompt_tokens'],
    [{ prompt_tokens: MAX_TOKENS + 1 }, 'too_large prompt_tokens'],
    [{ prompt_tokens: 1, completion_tokens: -2 }, 'not_a_count completion_tokens'],
    [{ prompt_tokens: 1, prompt_tokens_details: [] }, 'unreadable prompt_tokens_details.cached_tokens'],
    [JSON.parse('{"__proto__":{"prompt_tokens":1}}'), 'missing prompt_tokens'],
    [Object.create({ prompt_tokens: 1 }), 'missing prompt_tokens'],
  ])('refuses %j', (raw, expected) => {
    expect(why(countsOfOpenAi(raw))).toBe(expected);
  });

  it('refuses parts that do not fit their whole', () => {
    expect(why(usage({ prompt_tokens_details: { cached_tokens: 11 } }))).toBe(
      'subset_exceeds_whole prompt_tokens_details',
    );
    expect(why(usage({ prompt_tokens_details: { cached_tokens: 6, cache_write_tokens: 5 } }))).toBe(
      'subset_exceeds_whole prompt_tokens_details',
    );
    expect(why(usage({ completion_tokens_details: { reasoning_tokens: 6 } }))).toBe(
      'subset_exceeds_whole completion_tokens_details.reasoning_tokens',
    );
    expect(why(usage({ total_tokens: 16 }))).toBe('inconsistent total_tokens');
    expect(why(usage({ completion_tokens_details: { audio_tokens: 1 } }))).toBe(
      'unpriced_class completion_tokens_details.audio_tokens',
    );
    expect(why(usage({ prompt_tokens_details: { audio_tokens: 1 } }))).toBe(
      'unpriced_class prompt_tokens_details.audio_tokens',
    );
  });

  it('takes reasoning as part of the completion unless the total says it stands beside', () => {
    const reasoning = { completion_tokens_details: { reasoning_tokens: 4 } };
    expect(usage({ ...reasoning, total_tokens: 15 })).toMatchObject({ counts: { output: 1, reasoning: 4 } });
    expect(usage(reasoning)).toMatchObject({ counts: { output: 1, reasoning: 4 } });
    expect(usage({ ...reasoning, total_tokens: 19 })).toMatchObject({ counts: { output: 5, reasoning: 4 } });
  });

  it('puts every token in exactly one class', () => {
    fc.assert(
      fc.property(count, count, count, count, count, (fresh, cached, written, spoken, reasoned) => {
        const result = countsOfOpenAi({
          ...{ prompt_tokens: fresh + cached + written, completion_tokens: spoken + reasoned },
          prompt_tokens_details: { cached_tokens: cached, cache_write_tokens: written, audio_tokens: null },
          completion_tokens_details: { reasoning_tokens: reasoned },
        });
        expect(result).toMatchObject({
          counts: { input: fresh, cacheRead: cached, output: spoken, reasoning: reasoned },
        });
        expect(sum(result)).toBe(fresh + cached + written + spoken + reasoned);
      }),
    );
  });
});

describe('countsOfAnthropic', () => {
  const usage = (more: object): UsageResult => countsOfAnthropic({ input_tokens: 10, output_tokens: 5, ...more });

  it.each([
    [undefined, 'unreadable usage'],
    [{ output_tokens: 1 }, 'missing input_tokens'],
    [{ input_tokens: 1 }, 'missing output_tokens'],
    [{ input_tokens: 1, output_tokens: true }, 'not_a_count output_tokens'],
    [{ input_tokens: 1, output_tokens: 1, cache_read_input_tokens: -5 }, 'not_a_count cache_read_input_tokens'],
    [{ input_tokens: 1, output_tokens: 1, cache_creation: 7 }, 'unreadable cache_creation.ephemeral_5m_input_tokens'],
    [{ input_tokens: 1, output_tokens: 2 ** 41 }, 'too_large output_tokens'],
  ])('refuses %j', (raw, expected) => {
    expect(why(countsOfAnthropic(raw))).toBe(expected);
  });

  it('refuses what would be billed wrongly', () => {
    expect(why(usage({ output_tokens_details: { thinking_tokens: 6 } }))).toBe(
      'subset_exceeds_whole output_tokens_details.thinking_tokens',
    );
    const split = { ephemeral_5m_input_tokens: 1, ephemeral_1h_input_tokens: 2 };
    expect(why(usage({ cache_creation_input_tokens: 4, cache_creation: split }))).toBe('inconsistent cache_creation');
    expect(why(usage({ cache_creation: split }))).toBe('taken');
    expect(why(usage({ iterations: [{ type: 'message' }, { type: 'compaction' }] }))).toBe('unpriced_class iterations');
    expect(why(usage({ iterations: {} }))).toBe('unpriced_class iterations');
    expect(why(usage({ iterations: [{ type: 'message' }] }))).toBe('taken');
  });

  it('puts every token in exactly one class', () => {
    fc.assert(
      fc.property(count, count, count, count, count, count, (input, read, short, long, spoken, thought) => {
        const result = countsOfAnthropic({
          ...{ input_tokens: input, cache_read_input_tokens: read, cache_creation_input_tokens: short + long },
          cache_creation: { ephemeral_5m_input_tokens: short, ephemeral_1h_input_tokens: long },
          ...{ output_tokens: spoken + thought, output_tokens_details: { thinking_tokens: thought } },
        });
        expect(result).toMatchObject({ counts: { input, cacheWrite1h: long, output: spoken, reasoning: thought } });
        expect(sum(result)).toBe(input + read + short + long + spoken + thought);
      }),
    );
  });

  it('lets later numbers of a stream win, and nulls say nothing', () => {
    expect(mergeAnthropic({ input_tokens: 3, output_tokens: 1 }, { input_tokens: null, output_tokens: 9 })).toEqual({
      ...{ input_tokens: 3, output_tokens: 9 },
    });
  });
});

describe('readWholeUsage', () => {
  const read = (text: string): ReturnType<typeof readWholeUsage> => readWholeUsage('openai', Buffer.from(text));

  it('says why there are no counts', () => {
    expect(read('{"choices":[]}').problem).toEqual({ reason: 'missing', field: 'usage' });
    expect(read('{"usage":null}').problem).toEqual({ reason: 'missing', field: 'usage' });
    expect(read('<html>').problem).toEqual({ reason: 'unreadable', field: 'body' });
    expect(read('{"usage":{"prompt_tokens":1},"usage":{"prompt_tokens":2}}').problem?.reason).toBe('unreadable');
    expect(read('{"choices":{},"usage":{"prompt_tokens":1,"completion_tokens":-1}}')).toEqual({
      ...{ counts: null, stopReason: null, problem: { reason: 'not_a_count', field: 'completion_tokens' } },
    });
  });
});
