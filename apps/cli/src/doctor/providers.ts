import { egressOf, outboundConnector, type Egress, type GatewayConfig, type ProviderConfig } from '@app/platform';
import { note, ok, wrong, type Finding } from './finding';

const ABOUT = 'providers';
const TIMEOUT_MS = 5_000;

/** Whether each provider can be reached as the gateway would. Only connects: no request is sent, so nothing is billed and no key leaves. */
export async function examineProviders({ providers, egress }: GatewayConfig): Promise<Finding[]> {
  const entries = Object.entries(providers);
  if (entries.length === 0)
    return [
      note(
        ABOUT,
        'none configured: only the demonstration model answers',
        'Set ANTHROPIC_API_KEY, OPENAI_API_KEY or GEMINI_API_KEY, or add one under "providers".',
      ),
    ];
  return Promise.all(
    entries.map(([name, provider]) => examineProvider(name, provider, egressOf(provider, egress, TIMEOUT_MS))),
  );
}

async function examineProvider(
  name: string,
  { baseUrl, apiKey, apiKeys, internal }: ProviderConfig,
  egress: Egress,
): Promise<Finding> {
  const url = new URL(baseUrl);
  try {
    await reach(url, egress);
  } catch (error) {
    return wrong(
      ABOUT,
      `${name}: ${url.host} cannot be reached (${(error as Error).message})`,
      'Check baseUrl, DNS, the firewall, the proxy if there is one and, for TLS, the certificates.',
    );
  }
  if (!apiKey && !apiKeys && !internal)
    return note(ABOUT, `${name}: ${url.host} is reachable, but there is no apiKey`, `Set providers.${name}.apiKey.`);
  return ok(ABOUT, `${name}: ${url.host} is reachable`);
}

function reach({ protocol, host, hostname, port }: URL, egress: Egress): Promise<void> {
  const connect = outboundConnector(egress);
  return new Promise((resolve, reject) => {
    connect({ protocol, host, hostname: hostname.replace(/^\[|\]$/g, ''), port }, (error, socket) => {
      if (error) return reject(error);
      socket.destroy();
      resolve();
    });
  });
}
