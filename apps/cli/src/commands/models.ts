import { Option, type Command } from 'commander';
import { given, type Cli } from '../cli';
import { path } from '../gateway-client';
import { count as wholeCount, positiveInteger } from '../values';

interface Model {
  readonly id: string;
  readonly provider: string;
  readonly upstreamModel: string;
  readonly contextTokens: number;
  readonly maxOutputTokens: number;
  readonly warnings: readonly string[];
}

interface SetOptions {
  readonly provider: string;
  readonly upstream?: string;
  readonly name?: string;
  readonly context: number;
  readonly maxOutput: number;
  readonly tokenizer?: string;
  readonly imageTokens?: number;
  readonly imagePatch?: number;
  readonly audioTokens?: number;
  readonly searchTokens?: number;
  readonly maxSearches?: number;
}

const count = (flag: string, description: string): Option => new Option(flag, description).argParser(positiveInteger);
const tokens = (flag: string, description: string): Option => count(`${flag} <tokens>`, description);

export function registerModels(program: Command, cli: Cli): void {
  const models = program.command('models').description('the models that tenants can ask for');

  models
    .command('list')
    .description('list models, and why calls of one would be refused')
    .action(async () => {
      cli.out.rows(
        await cli.gateway.all<Model>('/api/v1/admin/models'),
        [
          { title: 'model', of: (m) => m.id },
          { title: 'provider', of: (m) => m.provider },
          { title: 'there called', of: (m) => m.upstreamModel },
          { title: 'context', of: (m) => m.contextTokens, right: true },
          { title: 'max output', of: (m) => m.maxOutputTokens, right: true },
          { title: 'refused because', of: (m) => m.warnings.join(', ') },
        ],
        'There are no models yet. Add one: openclawmu models set --help',
      );
    });

  models
    .command('set <model>')
    .description('add or replace a model, or a pattern that ends in "*"')
    .requiredOption('--provider <name>', 'a provider of the configuration')
    .option('--upstream <name>', 'what the provider calls it (default: the same)')
    .option('--name <text>', 'the name people see (default: the same)')
    .addOption(tokens('--context', 'most tokens of prompt and answer together').makeOptionMandatory())
    .requiredOption(
      '--max-output <tokens>',
      'most tokens of an answer; 0 where it has none, as of embeddings',
      wholeCount,
    )
    .option('--tokenizer <name>', "o200k_base or cl100k_base (default: that of OpenAI's models, by name)")
    .addOption(tokens('--image-tokens', 'most tokens a picture costs (default: the context window)'))
    .addOption(count('--image-patch <pixels>', 'side of the patches a picture is billed by, a token each'))
    .addOption(tokens('--audio-tokens', 'tokens that a second of sound costs (default: the context window)'))
    .addOption(tokens('--search-tokens', 'most tokens that one web search adds (default: the context window)'))
    .addOption(count('--max-searches <n>', 'web searches of a request that says no number'))
    .action(async (id: string, options: SetOptions) => {
      const { provider, upstream, name, context, maxOutput } = options;
      const model = await cli.gateway.put<Model>(path`/api/v1/admin/models/${id}`, {
        provider,
        upstreamModel: upstream ?? (id.endsWith('*') ? '*' : id),
        displayName: name ?? id,
        contextTokens: context,
        maxOutputTokens: maxOutput,
        ...given({
          tokenizer: options.tokenizer,
          imageTokens: options.imageTokens,
          imagePatchPixels: options.imagePatch,
          audioTokensPerSecond: options.audioTokens,
          searchTokens: options.searchTokens,
          maxSearches: options.maxSearches,
        }),
      });
      const but = model.warnings.length === 0 ? '' : ` Calls are refused for now: ${model.warnings.join(', ')}.`;
      cli.out.done(model, `Model ${id} is offered by ${provider}.${but}`);
    });

  models
    .command('remove <model>')
    .description('offer it no longer; what was billed stays')
    .action(async (id: string) => {
      await cli.gateway.delete(path`/api/v1/admin/models/${id}`);
      cli.out.done({ id, removed: true }, `Model ${id} is no longer offered.`);
    });
}
