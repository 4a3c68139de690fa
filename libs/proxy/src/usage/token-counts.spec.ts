import * as fc from 'fast-check';
import { mergeAnthropic, usageOfAnthropic } from './anthropic-usage';
import { usageOfGemini } from './gemini-usage';
import { usageOfOpenAi, usageOfResponses, usageOfTimings } from './openai-usage';
import { MAX_TOKENS, type UsageResult } from './token-counts';
import { readWholeUsage } from './whole-usage';

const why = (result: UsageResult): string => (result.ok ? 'taken' : `${result.problem.reason} ${result.problem.field}`);
const sum = (result: UsageResult): number => {
  if (!result.ok) throw new Error(result.problem.reason);
  return Object.values(result.usage.counts as unknown as Record<string, number>).reduce((a, b) => a + b, 0);
};
const count = fc.nat({ max: 1_000_000 });

describe('usageOfOpenAi', () => {
  const usage = (more: object): UsageResult => usageOfOpenAi({ prompt_tokens: 10, completion_tokens: 5, ...more });

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
    expect(why(usageOfOpenAi(raw))).toBe(expected);
  });

  it('refuses parts that do not fit their whole', () => {
    expect(why(usage({ prompt_tokens_details: { cached_tokens: 11 } }))).toBe(
      'subset_exceeds_whole prompt_tokens_details',
    );
    expect(why(usage({ prompt_tokens_details: { cached_tokens: 6, cache_write_tokens: 5 } }))).toBe(
      'subset_exceeds_whole prompt_tokens_details',
    );
    expect(why(usage({ completion_tokens_details: { reasoning_tokens: 6 } }))).toBe(
      'subset_exceeds_whole completion_tokens_details',
    );
    expect(why(usage({ total_tokens: 14 }))).toBe('inconsistent total_tokens');
    const reasoned = { completion_tokens_details: { reasoning_tokens: 2 } };
    expect(why(usage({ ...reasoned, total_tokens: 16 }))).toBe('inconsistent total_tokens');
    expect(why(usage({ completion_tokens_details: { audio_tokens: 3, reasoning_tokens: 3 } }))).toBe(
      'subset_exceeds_whole completion_tokens_details',
    );
    expect(why(usage({ prompt_tokens_details: { audio_tokens: 6, cached_tokens: 5 } }))).toBe(
      'subset_exceeds_whole prompt_tokens_details',
    );
    const predicted = { accepted_prediction_tokens: 3, rejected_prediction_tokens: 3 };
    expect(why(usage({ completion_tokens_details: predicted }))).toBe('subset_exceeds_whole completion_tokens_details');
    expect(why(usageOfOpenAi({ prompt_tokens: 1 }, 'No tier!'))).toBe('unreadable service_tier');
  });

  it('names the tier a call was served in, and none for the usual one', () => {
    const tier = (told: unknown): unknown => {
      const result = usageOfOpenAi({ prompt_tokens: 1 }, told);
      return result.ok && result.usage.serviceTier;
    };
    expect(['default', 'auto', '', null, undefined, 'flex', 'priority'].map(tier)).toEqual([
      ...[null, null, null, null, null, 'flex', 'priority'],
    ]);
  });

  it('takes reasoning as part of the completion unless the total says it stands beside', () => {
    const reasoning = { completion_tokens_details: { reasoning_tokens: 4 } };
    expect(usage({ ...reasoning, total_tokens: 15 })).toMatchObject({ usage: { counts: { output: 1, reasoning: 4 } } });
    expect(usage(reasoning)).toMatchObject({ usage: { counts: { output: 1, reasoning: 4 } } });
    expect(usage({ ...reasoning, total_tokens: 19 })).toMatchObject({ usage: { counts: { output: 5, reasoning: 4 } } });
  });

  it('takes what stands in the total alone as reasoning, unless it came out of a cache', () => {
    expect(usage({ total_tokens: 19 })).toMatchObject({ usage: { counts: { input: 10, output: 5, reasoning: 4 } } });
    const cached = { prompt_tokens_details: { cached_tokens: 3, cache_write_tokens: 1 } };
    expect(usage({ ...cached, total_tokens: 20 })).toMatchObject({
      usage: { counts: { input: 6, cacheRead: 3, cacheWrite5m: 1, output: 5, reasoning: 5 } },
    });
    expect(why(usage({ ...cached, total_tokens: 19 }))).toBe('inconsistent total_tokens');
  });

  it('reads one cache once, by whichever names it is told', () => {
    const of = (more: object): unknown => {
      const result = usage(more);
      return result.ok && [result.usage.counts.cacheRead, result.usage.counts.cacheWrite5m];
    };
    const nested = { cached_tokens: 4, cache_creation_tokens: 2, cache_creation_input_tokens: 2 };
    expect(of({ prompt_tokens_details: nested, prompt_cache_hit_tokens: 4, cached_tokens: 4 })).toEqual([4, 2]);
    expect(of({ prompt_tokens_details: null, prompt_cache_hit_tokens: 4 })).toEqual([4, 0]);
    expect(of({ prompt_tokens_details: { cache_creation_input_tokens: 3 }, cached_tokens: 1 })).toEqual([1, 3]);
    expect(why(usage({ prompt_cache_hit_tokens: 11 }))).toBe('subset_exceeds_whole prompt_tokens_details');
    expect(why(usage({ prompt_cache_hit_tokens: 1.5 }))).toBe('not_a_count prompt_cache_hit_tokens');
  });

  it('puts every token in exactly one class', () => {
    fc.assert(
      fc.property(
        count,
        count,
        count,
        count,
        count,
        count,
        count,
        (fresh, cached, written, heard, said, spoken, reasoned) => {
          const result = usageOfOpenAi({
            prompt_tokens: fresh + cached + written + heard,
            completion_tokens: said + spoken + reasoned,
            prompt_tokens_details: { cached_tokens: cached, cache_write_tokens: written, audio_tokens: heard },
            completion_tokens_details: { reasoning_tokens: reasoned, audio_tokens: spoken },
          });
          expect(result).toMatchObject({
            usage: {
              counts: {
                input: fresh,
                cacheRead: cached,
                audioInput: heard,
                output: said,
                audioOutput: spoken,
                reasoning: reasoned,
              },
            },
          });
          expect(sum(result)).toBe(fresh + cached + written + heard + said + spoken + reasoned);
        },
      ),
    );
  });
});

describe('the other shapes of the OpenAI convention', () => {
  it('means the same by other names in the Responses API', () => {
    fc.assert(
      fc.property(count, count, count, count, (fresh, cached, said, reasoned) => {
        const chat = usageOfOpenAi({
          ...{ prompt_tokens: fresh + cached, completion_tokens: said + reasoned },
          prompt_tokens_details: { cached_tokens: cached },
          completion_tokens_details: { reasoning_tokens: reasoned },
        });
        const responses = usageOfResponses({
          ...{ input_tokens: fresh + cached, output_tokens: said + reasoned },
          input_tokens_details: { cached_tokens: cached },
          output_tokens_details: { reasoning_tokens: reasoned },
          total_tokens: fresh + cached + said + reasoned,
        });
        expect(responses).toEqual(chat);
      }),
    );
    expect(why(usageOfResponses({ input_tokens: 1 }))).toBe('missing output_tokens');
    expect(why(usageOfResponses({ input_tokens: 1, output_tokens: 1, total_tokens: 3 }))).toBe(
      'inconsistent total_tokens',
    );
  });

  it('has a prompt alone in embeddings', () => {
    expect(usageOfOpenAi({ prompt_tokens: 8, total_tokens: 8 })).toMatchObject({
      usage: { counts: { input: 8, output: 0 } },
    });
    expect(why(usageOfOpenAi({ prompt_tokens: 8, total_tokens: 9 }))).toBe('inconsistent total_tokens');
    expect(usageOfOpenAi({ total_tokens: 8 })).toMatchObject({ usage: { counts: { input: 8, output: 0 } } });
    expect(why(usageOfOpenAi({ total_tokens: 8, completion_tokens: 3 }))).toBe('missing prompt_tokens');
    expect(why(usageOfOpenAi({ total_tokens: -8 }))).toBe('not_a_count total_tokens');
  });

  it('is read from timings where llama.cpp reports nothing else', () => {
    expect(usageOfTimings({ prompt_n: 7, cache_n: 90, predicted_n: 5, predicted_ms: 3.5 })).toMatchObject({
      usage: { counts: { input: 7, cacheRead: 90, output: 5 } },
    });
    expect(why(usageOfTimings({ prompt_n: -1, predicted_n: 5 }))).toBe('not_a_count prompt_n');
    expect(why(usageOfTimings([]))).toBe('unreadable timings');
  });
});

describe('usageOfAnthropic', () => {
  const usage = (more: object): UsageResult => usageOfAnthropic({ input_tokens: 10, output_tokens: 5, ...more });

  it.each([
    [undefined, 'unreadable usage'],
    [{ output_tokens: 1 }, 'missing input_tokens'],
    [{ input_tokens: 1 }, 'missing output_tokens'],
    [{ input_tokens: 1, output_tokens: true }, 'not_a_count output_tokens'],
    [{ input_tokens: 1, output_tokens: 1, cache_read_input_tokens: -5 }, 'not_a_count cache_read_input_tokens'],
    [{ input_tokens: 1, output_tokens: 1, cache_creation: 7 }, 'unreadable cache_creation.ephemeral_5m_input_tokens'],
    [{ input_tokens: 1, output_tokens: 2 ** 41 }, 'too_large output_tokens'],
  ])('refuses %j', (raw, expected) => {
    expect(why(usageOfAnthropic(raw))).toBe(expected);
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
    expect(why(usage({ server_tool_use: { web_search_requests: -1 } }))).toBe(
      'not_a_count server_tool_use.web_search_requests',
    );
    expect(why(usage({ server_tool_use: { code_execution_requests: 1 } }))).toBe(
      'unpriced_class server_tool_use.code_execution_requests',
    );
    expect(why(usage({ service_tier: 7 }))).toBe('unreadable service_tier');
    expect(why(usage({ speed: {} }))).toBe('unreadable service_tier');
    expect(why(usage({ iterations: [{ type: 'message' }] }))).toBe('taken');
  });

  it('puts every token in exactly one class', () => {
    fc.assert(
      fc.property(count, count, count, count, count, count, (input, read, short, long, spoken, thought) => {
        const result = usageOfAnthropic({
          ...{ input_tokens: input, cache_read_input_tokens: read, cache_creation_input_tokens: short + long },
          cache_creation: { ephemeral_5m_input_tokens: short, ephemeral_1h_input_tokens: long },
          ...{ output_tokens: spoken + thought, output_tokens_details: { thinking_tokens: thought } },
        });
        expect(result).toMatchObject({
          usage: { counts: { input, cacheWrite1h: long, output: spoken, reasoning: thought } },
        });
        expect(sum(result)).toBe(input + read + short + long + spoken + thought);
      }),
    );
  });

  it('reports searches, and the tier with its speed', () => {
    const searched = { server_tool_use: { web_search_requests: 3, web_fetch_requests: 2 }, service_tier: 'standard' };
    expect(usage(searched)).toMatchObject({ usage: { webSearches: 3, serviceTier: null } });
    expect(usage({ service_tier: 'priority', speed: 'standard' })).toMatchObject({
      usage: { serviceTier: 'priority' },
    });
    expect(usage({ service_tier: 'standard', speed: 'fast' })).toMatchObject({ usage: { serviceTier: 'fast' } });
    expect(usage({ server_tool_use: null, speed: null })).toMatchObject({
      usage: { webSearches: 0, serviceTier: null },
    });
  });

  it('lets later numbers of a stream win, and nulls say nothing', () => {
    expect(mergeAnthropic({ input_tokens: 3, output_tokens: 1 }, { input_tokens: null, output_tokens: 9 })).toEqual({
      ...{ input_tokens: 3, output_tokens: 9 },
    });
  });
});

describe('what a stream of Anthropic writes to caches', () => {
  const split = (ephemeral_5m_input_tokens: number, ephemeral_1h_input_tokens: number): object => ({
    cache_creation: { ephemeral_5m_input_tokens, ephemeral_1h_input_tokens },
  });
  const written = (first: object, sum: number, later: object = {}): unknown => {
    const start = { input_tokens: 1, output_tokens: 1, ...first };
    const result = usageOfAnthropic(
      mergeAnthropic(start, { output_tokens: 5, cache_creation_input_tokens: sum, ...later }),
    );
    return result.ok ? [result.usage.counts.cacheWrite5m, result.usage.counts.cacheWrite1h] : why(result);
  };

  it.each([
    ['as it was', split(10, 20), 30, [10, 20]],
    ['more of the one lifetime', split(10, 0), 25, [25, 0]],
    ['less of it', split(10, 0), 4, [4, 0]],
    ['more of the other', split(0, 20), 50, [0, 50]],
    ['more, of two lifetimes: the dearer', split(10, 20), 50, [10, 40]],
    ['something at last', split(0, 0), 7, [7, 0]],
    ['without any split', {}, 7, [7, 0]],
    ['less, of two lifetimes', split(10, 20), 15, 'inconsistent cache_creation'],
    ['a negative number', split(10, 0), -1, 'not_a_count cache_creation_input_tokens'],
  ])('is what was told last: %s', (_, first, sum, expected) => {
    expect(written(first, sum)).toEqual(expected);
  });

  it('goes by a later split, where there is one', () => {
    expect(written(split(10, 0), 30, split(10, 20))).toEqual([10, 20]);
    expect(written(split(10, 0), 30, { cache_creation: null })).toEqual([30, 0]);
  });
});

describe('usageOfGemini', () => {
  const usage = { promptTokenCount: 100, candidatesTokenCount: 20, thoughtsTokenCount: 5 };

  it.each([
    [{}, 'missing promptTokenCount'],
    [{ ...usage, totalTokenCount: 126 }, 'inconsistent totalTokenCount'],
    [{ ...usage, cachedContentTokenCount: 101 }, 'subset_exceeds_whole promptTokensDetails'],
    [{ ...usage, candidatesTokenCount: -1 }, 'not_a_count candidatesTokenCount'],
    [
      { ...usage, candidatesTokensDetails: [{ modality: 'AUDIO', tokenCount: 21 }] },
      'subset_exceeds_whole candidatesTokensDetails',
    ],
  ])('does not believe %j', (told, expected) => {
    expect(why(usageOfGemini(told))).toBe(expected);
  });

  it('takes a total with or without what tools of the provider brought', () => {
    for (const totalTokenCount of [125, 132])
      expect(usageOfGemini({ ...usage, toolUsePromptTokenCount: 7, totalTokenCount })).toMatchObject({
        usage: { counts: { input: 107, output: 20, reasoning: 5 } },
      });
  });
});

describe('readWholeUsage', () => {
  const read = (text: string): ReturnType<typeof readWholeUsage> => readWholeUsage('chat', Buffer.from(text));

  it('says why there are no counts', () => {
    expect(read('{"choices":[]}').problem).toEqual({ reason: 'missing', field: 'usage' });
    expect(read('{"usage":null}').problem).toEqual({ reason: 'missing', field: 'usage' });
    expect(read('<html>').problem).toEqual({ reason: 'unreadable', field: 'body' });
    expect(read('{"usage":{"prompt_tokens":1},"usage":{"prompt_tokens":2}}').problem?.reason).toBe('unreadable');
    expect(read('{"choices":{},"usage":{"prompt_tokens":1,"completion_tokens":-1}}')).toEqual({
      ...{ usage: null, stopReason: null, problem: { reason: 'not_a_count', field: 'completion_tokens' } },
      ...{ failure: null, head: null },
    });
  });

  it('takes zeros for no report, but where a provider refused or failed', () => {
    const nothing = '"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}}';
    expect(read(`{"choices":[{"finish_reason":"stop"}],${nothing}`)).toMatchObject({
      ...{ usage: null, stopReason: 'stop', problem: { reason: 'missing', field: 'usage' } },
    });
    expect(readWholeUsage('embeddings', Buffer.from(`{"data":[],${nothing}`)).problem?.reason).toBe('missing');
    const refused = '{"stop_reason":"refusal","usage":{"input_tokens":0,"output_tokens":0}}';
    expect(readWholeUsage('messages', Buffer.from(refused))).toMatchObject({
      problem: null,
      usage: { webSearches: 0 },
    });
    const failed = '{"error":{"code":"x"},"usage":{"input_tokens":0,"output_tokens":0}}';
    expect(readWholeUsage('responses', Buffer.from(failed))).toMatchObject({
      problem: null,
      usage: { webSearches: 0 },
    });
  });

  it('bills an answer alike, whether it is asked what it is or not', () => {
    const counted = '"usage":{"prompt_tokens":3,"completion_tokens":4}}';
    const heads = [
      '{"id":"a","id":"b",',
      '{"ID":"a","id":"b",',
      '{"id":7,"model":"",',
      `{"id":"${'x'.repeat(201)}",`,
      '{',
    ];
    for (const head of heads) {
      const body = Buffer.from(head + counted);
      const asked = readWholeUsage('chat', body, true);
      expect(asked).toEqual(readWholeUsage('chat', body));
      expect(asked.usage).toMatchObject({ counts: { input: 3, output: 4 } });
    }
  });
});
