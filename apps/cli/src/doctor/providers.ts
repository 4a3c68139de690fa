import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ProviderConfig } from '@app/platform';
import { note, ok, wrong, type Finding } from './finding';

const ABOUT = 'providers';
const TIMEOUT_MS = 5_000;

/** Whether each provider can be reached. Only connects: no request is sent, so nothing is billed and no key leaves. */
export async function examineProviders(providers: Readonly<Record<string, ProviderConfig>>): Promise<Finding[]> {
  const entries = Object.entries(providers);
  if (entries.length === 0)
    return [
      note(
        ABOUT,
        'none configured: only the demonstration model answers',
        'Set ANTHROPIC_API_KEY or OPENAI_API_KEY, or add one under "providers".',
      ),
    ];
  return Promise.all(entries.map(([name, provider]) => examineProvider(name, provider)));
}

async function examineProvider(name: string, { baseUrl, apiKey, internal }: ProviderConfig): Promise<Finding> {
  const url = new URL(baseUrl);
  try {
    await reach(url);
  } catch (error) {
    return wrong(
      ABOUT,
      `${name}: ${url.host} cannot be reached (${(error as Error).message})`,
      'Check baseUrl, DNS, the firewall and, for TLS, the certificate.',
    );
  }
  if (!apiKey && !internal)
    return note(ABOUT, `${name}: ${url.host} is reachable, but there is no apiKey`, `Set providers.${name}.apiKey.`);
  return ok(ABOUT, `${name}: ${url.host} is reachable`);
}

function reach({ protocol, hostname, port }: URL): Promise<void> {
  const tls = protocol === 'https:';
  const host = hostname.replace(/^\[|\]$/g, '');
  const target = { host, port: Number(port) || (tls ? 443 : 80) };
  return new Promise((resolve, reject) => {
    const done = () => {
      socket.destroy();
      resolve();
    };
    const socket = tls ? connectTls({ ...target, servername: host }, done) : connect(target, done);
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error(`no answer within ${TIMEOUT_MS / 1_000} s`)));
    socket.on('error', reject);
  });
}
