import type { ProviderConfig } from '@app/platform';

/** Well-known values of `gen_ai.provider.name`, by the end of the host's name. */
const BY_HOST: readonly (readonly [end: string, name: string])[] = [
  ['openai.azure.com', 'azure.ai.openai'],
  ['services.ai.azure.com', 'azure.ai.inference'],
  ['generativelanguage.googleapis.com', 'gcp.gemini'],
  ['aiplatform.googleapis.com', 'gcp.vertex_ai'],
  ['api.groq.com', 'groq'],
  ['api.mistral.ai', 'mistral_ai'],
  ['api.deepseek.com', 'deepseek'],
  ['api.x.ai', 'x_ai'],
  ['api.perplexity.ai', 'perplexity'],
  ['api.moonshot.ai', 'moonshot_ai'],
  ['api.cohere.com', 'cohere'],
  ['amazonaws.com', 'aws.bedrock'],
];

const BY_DIALECT = { openai: 'openai', anthropic: 'anthropic', gemini: 'gcp.gemini' } as const;

/** Where a provider is, as spans and metrics name it. */
export interface ProviderAddress {
  /** Of the conventions' list: who, or whose format, where nobody knows better. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly origin: string;
}

const known = new WeakMap<ProviderConfig, ProviderAddress>();

export function addressOf(provider: ProviderConfig): ProviderAddress {
  let address = known.get(provider);
  if (address === undefined) known.set(provider, (address = read(provider)));
  return address;
}

function read({ baseUrl, dialect, azure }: ProviderConfig): ProviderAddress {
  const { hostname, port, protocol, origin } = new URL(baseUrl);
  const found = azure ? 'azure.ai.openai' : BY_HOST.find(([end]) => `.${hostname}`.endsWith(`.${end}`))?.[1];
  return {
    name: found ?? BY_DIALECT[dialect],
    host: hostname,
    port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
    origin,
  };
}
