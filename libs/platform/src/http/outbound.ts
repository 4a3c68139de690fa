import { isDeepStrictEqual } from 'node:util';
import type { buildConnector } from 'undici';
import type { GatewayConfig, ProviderConfig, WebhookConfig } from '../config/schema';
import { anyConnector, publicConnector, refusedAddress, type ConnectOptions } from './egress';
import { openTunnel } from './tunnel';

/** How a provider, or a receiver of notices, is connected to. Holds secrets, so it is not to be printed. */
export interface Egress extends ConnectOptions {
  /** Whether it may lie in a private network. */
  readonly internal: boolean;
  /** Address of the proxy that leads to it, if one does. */
  readonly proxy: string | undefined;
}

/** What lies in one's own network is not behind the proxy to the world, unless it names one itself. */
export function proxyOf(
  { internal, proxy: own }: ProviderConfig | WebhookConfig,
  { proxy: general }: GatewayConfig['egress'],
): string | undefined {
  const proxy = own ?? (internal ? 'none' : (general ?? 'none'));
  return proxy === 'none' ? undefined : proxy.reveal();
}

export function egressOf(provider: ProviderConfig, general: GatewayConfig['egress']): Egress {
  const { internal, tls, timeouts } = provider;
  return {
    internal,
    proxy: proxyOf(provider, general),
    timeout: timeouts.connectMs,
    ca: tls?.ca,
    cert: tls?.cert,
    key: tls?.key?.reveal(),
    servername: tls?.servername,
  };
}

export const sameEgress = (one: Egress, other: Egress): boolean => isDeepStrictEqual(one, other);

/**
 * Makes every connection to a provider or a receiver: to public addresses only, unless it is internal. Through a proxy it is
 * the proxy that resolves names, which the gateway often cannot, so only an address that is written out can be refused here.
 */
export function outboundConnector({ internal, proxy, ...options }: Egress): buildConnector.connector {
  const direct = internal ? anyConnector(options) : publicConnector(options);
  if (proxy === undefined) return direct;
  const inTunnel = anyConnector(options);
  return (to, callback) => {
    const refused = internal ? null : refusedAddress(to.hostname);
    if (refused) return callback(refused, null);
    openTunnel(new URL(proxy), to, options, (error, socket) => {
      if (error) callback(error, null);
      else if (to.protocol === 'https:') inTunnel({ ...to, httpSocket: socket }, callback);
      else callback(null, socket.setNoDelay(true));
    });
  };
}
