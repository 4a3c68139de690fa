import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { canonicalText, hashOf, type StatedPrice } from '../rates/rate-card';
import { readCsvCells } from './csv-cells';
import { RATE_COLUMNS, readCsvRates } from './csv-rates';
import { DEFAULT_MODES, readLitellmRates } from './litellm-rates';
import { RateFileError } from './rate-file';
import { readYamlRates } from './yaml-rates';

const golden = (name: string): string => readFileSync(join(__dirname, 'golden', name), 'utf8');
const canonical = (prices: readonly StatedPrice[]): string =>
  canonicalText({ effectiveAt: new Date(0), currency: 'USD', note: '', prices });

const PRICES: StatedPrice[] = [
  {
    model: 'claude-sonnet-4-5',
    input: '3.00',
    cacheRead: '0.30',
    cacheWrite5m: '3.75',
    cacheWrite1h: '6.00',
    output: '15.00',
    longContext: { aboveTokens: 200_000, input: '6.00', cacheRead: '0.60', output: '22.50' },
    fees: { webSearch: '0.01' },
  },
  {
    model: 'gpt-5*',
    input: '1.25',
    cacheRead: '0.125',
    output: '10.00',
    tiers: {
      flex: { input: '0.625', output: '5.00' },
      priority: {
        input: '2.50',
        output: '20.00',
        longContext: { aboveTokens: 272_000, input: '5.00', output: '40.00' },
      },
    },
  },
  {
    model: 'local/demo',
    input: '0.10',
    output: '0.000000001',
    reasoning: '0.50',
    audioInput: '0.20',
    audioOutput: '0.80',
    fees: { request: '0.001' },
  },
];

describe('a YAML card', () => {
  it('says what it says, to the digit', () => {
    const { prices, ...rest } = readYamlRates(golden('prices.yaml'));
    expect(canonical(prices)).toBe(canonical(PRICES));
    expect(rest).toEqual({
      currency: 'USD',
      note: 'Contract 2026-17',
      effectiveAt: new Date('2036-12-01T00:00:00Z'),
      exchange: { from: 'EUR', rate: '1.0841' },
      markups: [
        { tenant: '*', percent: '12.5' },
        { tenant: 'finance', percent: '-10' },
      ],
      skipped: [],
      filtered: 0,
    });
  });

  it('may be JSON', () => {
    const text = JSON.stringify({ currency: 'USD', prices: PRICES }, null, 2);
    expect(canonical(readYamlRates(text).prices)).toBe(canonical(PRICES));
  });

  it.each<[string, string, number, number, RegExp]>([
    ['rate: 1.0841', 'rate: 0', 4, 30, /^exchange\.rate: must be more than 0/],
    ['percent: -10', 'percent: -100.5', 7, 33, /^markups\.1\.percent: must be a decimal string from -100/],
    ['tenant: finance', 'tenant: Finance', 7, 15, /^markups\.1\.tenant: must be a tenant id/],
    ['flex: {', 'Flex: {', 22, 7, /^prices\.1\.tiers: has "Flex", and service tiers have names of small letters/],
    ['input: 0.625', 'input: cheap', 22, 7, /^prices\.1\.tiers: flex\.input: must be a decimal string/],
    ['aboveTokens: 272000', 'above: 272000', 22, 7, /^prices\.1\.tiers: priority\.longContext\./],
    ['webSearch: 0.01', 'search: 0.01', 16, 21, /^prices\.0\.fees\.search: is not a known field/],
    ['output: 15.00', 'output: 1.5e1', 14, 13, /^prices\.0\.output: must be a decimal string/],
    ['reasoning: "0.5"', 'extra: 0.5', 30, 12, /^prices\.2\.extra: is not a known field/],
    ['model: local/demo', 'model: gpt-5*', 27, 12, /^prices\.2\.model: prices "gpt-5\*" a second time/],
    ['currency: USD', 'currency: dollars', 1, 11, /^currency: must be a currency code/],
    ['aboveTokens: 200000', 'aboveTokens: 2e9', 15, 33, /^prices\.0\.longContext\.aboveTokens: must not be greater/],
    ['currency: USD', 'currency: USD\ncurrency: EUR', 2, 1, /unique/],
  ])('with %s changed to %s is refused where it stands', (found, replacement, line, column, problem) => {
    const { faults } = refusal(() => readYamlRates(golden('prices.yaml').replace(found, replacement)));
    expect(faults).toEqual([{ line, column, problem: expect.stringMatching(problem) as string }]);
  });

  it('is refused with all that is wrong with it, in the order of the file', () => {
    const text = [
      'currency: dollars',
      'markups: [{ tenant: a, percent: 1 }, { tenant: a, percent: x }]',
      'prices:',
      '  - { model: m, input: cheap, tiers: { flex: { input: 1, speed: 2 }, Fast: {} } }',
      '  - { model: m, input: 1, output: 2, extra: 3 }',
    ].join('\n');
    const { faults, uncounted } = refusal(() => readYamlRates(text));
    expect(
      faults.map(({ line, problem }) => `${line} ${problem.replace(/(must be|must match|has) .*?(; |$)/g, '$1$2')}`),
    ).toEqual([
      '1 currency: must be',
      '2 markups.1.tenant: names "a" a second time',
      '2 markups.1.percent: must be',
      '4 prices.0.output: must be',
      '4 prices.0.input: must be',
      '4 prices.0.tiers: flex.speed: is not a known field; flex.output: must be; has',
      '5 prices.1.model: prices "m" a second time',
      '5 prices.1.extra: is not a known field',
    ]);
    expect(uncounted).toBe(0);
  });

  it.each(['', '[]', 'text', '- a'])('%j is none', (text) =>
    expect(refusal(() => readYamlRates(text)).faults[0]).toMatchObject({ line: 1 }),
  );

  it('does not grow by aliases', () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${['b', 'c', 'd', 'e', 'f', 'g']
      .map((name, n) => `${name}: &${name} [${Array(9).fill(`*${'abcdef'[n]}`).join(',')}]`)
      .join('\n')}`;
    expect(() => readYamlRates(bomb)).toThrow(RateFileError);
  });
});

describe('a CSV card', () => {
  it('says what the same card in YAML says', () => {
    expect(canonical(readCsvRates(golden('prices.csv')).prices)).toBe(canonical(PRICES));
  });

  it('does not depend on line endings, a byte order mark, empty lines or the order of columns', () => {
    const text = `\ufeff${golden('prices.csv').replaceAll('\n', '\r\n')}\r\n${','.repeat(21)}\r\n`;
    expect(canonical(readCsvRates(text).prices)).toBe(canonical(PRICES));
    expect(readCsvRates('output,model,input\n2,m,1').prices).toEqual([{ model: 'm', input: '1.00', output: '2.00' }]);
  });

  it('may have the commas that a spreadsheet puts behind the last column', () => {
    const text = '\ufeffmodel,input,output,,\r\nm,1,2,,\r\n,,,,\r\nn,3,4\r\n';
    expect(readCsvRates(text).prices.map(({ model }) => model)).toEqual(['m', 'n']);
  });

  it.each<[string, number, number, RegExp]>([
    ['model,input\nm,1', 1, 1, /column output is missing/],
    ['model,input,output,price', 1, 20, /"price" is not a column; the columns are model, input,/],
    ['model,input,output,input', 1, 20, /"input" comes a second time/],
    ['model;input;output\nm;1;2', 1, 1, /commas, not by semicolons/],
    ['model,input,output\nm,1,2\nn,"2,50",3', 3, 3, /"2,50" is not an exact decimal/],
    ['model,input,output\nm,1e-3,2', 2, 3, /"1e-3" is not an exact decimal/],
    ['model,input,output\nm,1,', 2, 1, /the field output is empty/],
    ['model,input,output\nm,1,2,3', 2, 7, /more fields than the 3 columns/],
    ['model,input,output,,\nm,1,2,,3', 2, 8, /more fields than the 3 columns/],
    ['model,input,,output\nm,1,,2', 1, 13, /"" is not a column/],
    ['model,input,output\nm,1,2\nm,1,2', 3, 1, /prices "m" a second time/],
    ['model,input,output\n=cmd(),1,2', 2, 1, /must be a model name/],
    ['model,input,output,long_input\nm,1,2,3', 2, 7, /needs long_above_tokens/],
    ['model,input,output,long_above_tokens\nm,1,2,200k', 2, 7, /"200k" is not a whole number/],
    ['model,input,output,long_above_tokens\nm,1,2,200000', 2, 1, /the field long_input is empty/],
    ['model,input,output,priority:price\nm,1,2,3', 1, 20, /such as priority:input/],
    ['model,input,output,priority:input\nm,1,2,3', 2, 1, /the field priority:output is empty/],
    ['model,input,output,a:b:input\nm,1,2,3', 1, 20, /is not a column/],
    ['model,input,output\nm,"1,2', 2, 3, /quote is not closed/],
    ['model,input,output\nm,"1"2,3', 2, 6, /enclose the whole field/],
    ['', 1, 1, /empty/],
  ])('%j is refused at line %i, column %i', (text, line, column, problem) => {
    const { faults } = refusal(() => readCsvRates(text));
    expect(faults).toContainEqual({ line, column, problem: expect.stringMatching(problem) as string });
  });

  it('is refused with all that is wrong with it, in the order of the file', () => {
    const text = 'model,input,output,long_input\n=m,x,,5\nn,1,2,3,4,5\n,1,2\no,1,2\no,1,"2,5"\n' + 'p,y,1\n'.repeat(60);
    const { faults, uncounted } = refusal(() => readCsvRates(text));
    expect(faults.slice(0, 9).map(({ line, column, problem }) => `${line}:${column} ${problem.slice(0, 26)}`)).toEqual([
      '2:1 a model must be a model na',
      '2:1 the field output is empty',
      '2:4 "x" is not an exact decima',
      '2:7 a long-context price needs',
      '3:9 the line has more fields t',
      '4:1 the field model is empty',
      '6:1 prices "o" a second time',
      '6:5 "2,5" is not an exact deci',
      '7:3 "y" is not an exact decima',
    ]);
    // 8 and then 60 lines with a wrong price, 59 of which also price their model a second time.
    expect([faults.length, uncounted]).toEqual([50, 8 + 60 + 59 - 50]);
    const named = refusal(() => readCsvRates('model,inptu,speed,model'));
    expect(named.faults.map(({ column, problem }) => `${column} ${problem.slice(0, 25)}`)).toEqual([
      '1 the column input and outp',
      '7 "inptu" is not a column; ',
      '13 "speed" is not a column; ',
      '19 the column "model" comes ',
    ]);
  });

  it('has the documented columns', () => {
    expect(RATE_COLUMNS.join(',')).toBe(
      'model,input,audio_input,cache_read,cache_write_5m,cache_write_1h,output,audio_output,reasoning,' +
        'long_above_tokens,long_input,long_audio_input,long_cache_read,long_cache_write_5m,long_cache_write_1h,' +
        'long_output,long_audio_output,long_reasoning,request_fee,web_search_fee',
    );
  });

  it('reads any text in quotes back, and knows where it stands', () => {
    const field = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', ' ', ';') });
    fc.assert(
      fc.property(fc.array(fc.array(field, { minLength: 2, maxLength: 3 }), { minLength: 1 }), (rows) => {
        const text = rows
          .map((row) => ['x', ...row].map((each) => `"${each.replaceAll('"', '""')}"`).join(','))
          .join('\n');
        const read = readCsvCells(text);
        expect(read.map((row) => row.map((cell) => cell.text))).toEqual(rows.map((row) => ['x', ...row]));
        const lines = text.split('\n');
        for (const { line, column } of read.flat()) expect(lines[line - 1]?.[column - 1]).toBe('"');
      }),
    );
  });
});

describe("LiteLLM's price map", () => {
  const ALL = { providers: [], modes: ['chat'] };

  it('becomes exact prices per million tokens', () => {
    const { prices, pricesIn } = readLitellmRates(golden('litellm.json'), ALL);
    expect(pricesIn).toBe('USD');
    expect(prices).toEqual([
      {
        model: 'claude-sonnet-4-5',
        input: '3.00',
        cacheRead: '0.30',
        cacheWrite5m: '3.75',
        cacheWrite1h: '6.00',
        output: '15.00',
        longContext: {
          aboveTokens: 200_000,
          input: '6.00',
          cacheRead: '0.60',
          cacheWrite5m: '7.50',
          // Not stated above the threshold, so the normal price goes on.
          cacheWrite1h: '6.00',
          output: '22.50',
        },
        fees: { webSearch: '0.01' },
      },
      {
        model: 'gpt-4o-mini',
        input: '0.15',
        cacheRead: '0.075',
        output: '0.60',
        // What a tier does not state costs what it costs in the standard one.
        tiers: {
          priority: { input: '0.15', cacheRead: '0.125', output: '0.60' },
          batch: { input: '0.075', cacheRead: '0.075', output: '0.60' },
        },
      },
      {
        model: 'gpt-5.4',
        input: '2.50',
        cacheRead: '0.25',
        output: '15.00',
        reasoning: '16.00',
        longContext: { aboveTokens: 272_000, input: '5.00', cacheRead: '0.25', output: '22.50', reasoning: '16.00' },
        tiers: {
          flex: {
            ...{ input: '2.50', cacheRead: '0.25', output: '15.00', reasoning: '16.00' },
            longContext: {
              aboveTokens: 272_000,
              ...{ input: '2.50', cacheRead: '0.25', output: '22.50', reasoning: '16.00' },
            },
          },
        },
      },
      { model: 'deepseek/deepseek-chat', input: '0.27', cacheRead: '0.07', output: '1.10' },
      {
        model: 'gemini/gemini-2.5-flash',
        input: '0.30',
        audioInput: '1.00',
        output: '2.50',
        tiers: { flex: { input: '0.30', audioInput: '0.50', output: '2.50' } },
      },
      { model: 'per-request', input: '0.30', output: '1.00', fees: { request: '0.005' } },
      { model: 'gpt-4o-audio-preview', input: '2.50', audioInput: '40.00', output: '10.00', audioOutput: '80.00' },
    ]);
  });

  it('drops no entry without a word', () => {
    const { prices, skipped, filtered } = readLitellmRates(golden('litellm.json'), ALL);
    expect(skipped).toEqual([
      { model: 'dashscope/qwen-plus', reason: 'tiered_pricing: a card has no such price' },
      { model: 'two-thresholds', reason: 'it has 2 long-context thresholds, and a card has one' },
      {
        model: 'noisy-float',
        reason:
          'input_cost_per_token: 3.0000000000000004e-07 is not exact with nine decimals per million tokens, from 0 to 1000000',
      },
      {
        model: 'two-opinions',
        reason: 'input_cost_per_token_cache_hit: another field states another price for the same tokens',
      },
      {
        model: 'bedrock/*/1-month-commitment/some.model',
        reason: 'its name is not one that callers of this gateway can use',
      },
      { model: 'unpriced', reason: 'it states no input_cost_per_token and output_cost_per_token' },
      { model: 'search-by-size', reason: 'search_context_cost_per_query: has 3 prices, and a card has one' },
      { model: 'cached-audio', reason: 'cache_read_input_audio_token_cost: a card has no such price' },
    ]);
    expect(filtered).toBe(2);
    const entries = Object.keys(JSON.parse(golden('litellm.json')) as object).length - 2;
    expect(prices.length + skipped.length + filtered).toBe(entries);
  });

  it('is filtered by provider and mode', () => {
    const { prices, skipped, filtered } = readLitellmRates(golden('litellm.json'), {
      providers: ['openai'],
      modes: ['chat', 'embedding'],
    });
    expect(prices.map(({ model }) => model)).toEqual([
      ...['gpt-4o-mini', 'gpt-5.4', 'gpt-4o-audio-preview'],
      'text-embedding-3-small',
    ]);
    expect(prices.at(-1)).toEqual({
      ...{ model: 'text-embedding-3-small', input: '0.02', output: '0.00' },
      tiers: { batch: { input: '0.01', output: '0.00' } },
    });
    expect([skipped.length, filtered]).toEqual([0, 13]);
  });

  it('takes models of all APIs that are relayed, and no others, unless told otherwise', () => {
    const modes = ['chat', 'embedding', 'responses', 'realtime', 'image_generation'];
    const entry = { litellm_provider: 'openai', input_cost_per_token: 1e-6, output_cost_per_token: 2e-6 };
    const map = Object.fromEntries(modes.map((mode) => [mode, { ...entry, mode }]));
    const { prices, filtered } = readLitellmRates(JSON.stringify(map), { providers: [], modes: DEFAULT_MODES });
    expect([prices.map(({ model }) => model), filtered]).toEqual([['chat', 'embedding', 'responses'], 2]);
  });

  it('hashes to the same card whatever notation a number has', () => {
    const hash = (price: string): string =>
      hashOf(
        canonical(
          readLitellmRates(`{"m":{"mode":"chat","input_cost_per_token":${price},"output_cost_per_token":0}}`, ALL)
            .prices,
        ),
      );
    expect(new Set(['1.5e-7', '1.5E-07', '15e-8', '0.00000015', '0.000000150'].map(hash)).size).toBe(1);
  });

  it.each([
    ['[]', /a member for each model/],
    ['{"m":', /ends too early/],
    ['model,input', /not JSON here/],
  ])('%j is none', (text, problem) => expect(refusal(() => readLitellmRates(text, ALL)).message).toMatch(problem));
});

function refusal(read: () => unknown): RateFileError {
  try {
    read();
  } catch (error) {
    if (error instanceof RateFileError) return error;
    throw error;
  }
  throw new Error('was not refused');
}
