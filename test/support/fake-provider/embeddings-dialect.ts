import { type Completion, reported } from './completion';
import type { Dialect } from './dialect';
import { openaiDialect } from './openai-dialect';

const DIMENSIONS = 4;

/** Embeddings as the OpenAI API reference describes them: one vector for each input, and no output to bill. */
export const embeddingsDialect: Dialect = {
  ...openaiDialect,
  completionPath: '/v1/embeddings',

  refusal(json) {
    if (typeof json['model'] !== 'string')
      return { status: 400, message: 'you must provide a model parameter', code: null };
    if (json['input'] === undefined)
      return { status: 400, message: "Missing required parameter: 'input'.", code: 'missing_required_parameter' };
    return undefined;
  },

  outputLimit: () => 0,
  choices: () => 1,

  whole({ model, tokens }: Completion, report, json) {
    const { input, encoding_format: format } = json;
    const inputs: readonly unknown[] = Array.isArray(input) && typeof input[0] !== 'number' ? input : [input];
    const data = inputs.map((_, index) => {
      const vector = Float32Array.from({ length: DIMENSIONS }, (__, n) => (index + n) / 8);
      const embedding = format === 'base64' ? Buffer.from(vector.buffer).toString('base64') : [...vector];
      return { object: 'embedding', index, embedding };
    });
    const usage = reported({ prompt_tokens: tokens.input, total_tokens: tokens.input }, report);
    return { object: 'list', data, model, ...(usage && { usage }) };
  },
};
