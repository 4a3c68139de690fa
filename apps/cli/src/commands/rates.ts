import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { Cli } from '../cli';
import { CliError, EXIT } from '../exit-code';
import { path } from '../gateway-client';

interface RateCard {
  readonly version: number;
  readonly state: string;
  readonly effectiveAt: string;
  readonly currency: string;
  readonly note: string;
  readonly hash: string;
  readonly models: number;
  readonly createdAt: string;
  readonly createdBy: string;
}

interface Price {
  readonly model: string;
  readonly input: string;
  readonly output: string;
  readonly cacheRead?: string;
  readonly cacheWrite5m?: string;
  readonly cacheWrite1h?: string;
  readonly reasoning?: string;
}

export function registerRates(program: Command, cli: Cli): void {
  const rates = program.command('rates').description('rate cards: what a million tokens cost');

  rates
    .command('import <file>')
    .description('import a rate card from YAML or JSON; it becomes the next version and never changes')
    .action(async (file: string) => {
      const card = await cli.gateway.post<RateCard>('/api/v1/admin/rate-cards', read(file));
      cli.out.done(
        card,
        `Rate card ${card.version} prices ${card.models} models in ${card.currency}, in force from ${card.effectiveAt}.`,
      );
    });

  rates
    .command('list')
    .description('list rate cards, newest first')
    .action(async () => {
      cli.out.rows(
        await cli.gateway.all<RateCard>('/api/v1/admin/rate-cards'),
        [
          { title: 'version', of: (c) => c.version, right: true },
          { title: 'state', of: (c) => c.state.replace('_', ' ') },
          { title: 'in force from', of: (c) => c.effectiveAt },
          { title: 'currency', of: (c) => c.currency },
          { title: 'models', of: (c) => c.models, right: true },
          { title: 'note', of: (c) => c.note },
        ],
        'There is no rate card yet. Import one: openclawmu rates import prices.yaml',
      );
    });

  rates
    .command('show [version]')
    .description('show a rate card with its prices (default: the one in force)')
    .action(async (version = 'in-force') => {
      const card = await cli.gateway.get<RateCard & { prices: Price[] }>(
        path`/api/v1/admin/rate-cards/${String(version)}`,
      );
      if (!cli.out.json)
        cli.out.facts(card, [
          ['version', card.version],
          ['state', card.state.replace('_', ' ')],
          ['in force from', card.effectiveAt],
          ['imported', `${card.createdAt} by ${card.createdBy}`],
          ['note', card.note],
          ['sha-256', card.hash],
          ['prices', `${card.currency} per million tokens`],
        ]);
      if (cli.out.json) cli.out.data(card);
      else cli.out.rows(card.prices, PRICES, 'It prices nothing.');
    });
}

const PRICES = [
  { title: 'model', of: (p: Price) => p.model },
  { title: 'input', of: (p: Price) => p.input, right: true },
  { title: 'cache read', of: (p: Price) => p.cacheRead, right: true },
  { title: 'write 5m', of: (p: Price) => p.cacheWrite5m, right: true },
  { title: 'write 1h', of: (p: Price) => p.cacheWrite1h, right: true },
  { title: 'output', of: (p: Price) => p.output, right: true },
  { title: 'reasoning', of: (p: Price) => p.reasoning, right: true },
];

/** Reads a card. Numbers keep their digits: `0.1` in YAML arrives as the text "0.1", because prices are exact decimals. */
function read(file: string): unknown {
  try {
    return parseCard(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new CliError(EXIT.usage, `${file} cannot be read: ${(error as Error).message.split('\n')[0]}`);
  }
}

function parseCard(text: string): unknown {
  // Loaded here because no other command needs it.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const { parseDocument, visit, isScalar } = require('yaml') as typeof import('yaml');
  const document = parseDocument(text);
  if (document.errors[0]) throw document.errors[0];
  visit(document, {
    Pair(_, { key, value }) {
      const isPrice =
        isScalar(key) && key.value !== 'aboveTokens' && isScalar(value) && typeof value.value === 'number';
      if (isPrice && value.source !== undefined) value.value = value.source;
    },
  });
  return document.toJS();
}
