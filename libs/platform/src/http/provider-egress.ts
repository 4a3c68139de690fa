import { isDeepStrictEqual } from 'node:util';
import type { buildConnector } from 'undici';
import type { GatewayConfig, ProviderConfig } from '../config/schema';
import { anyConnector, publicConnector, refusedAddress, type ConnectOptions } from './egress';
import { openTunnel } from './tunnel';

/** How a provider is connected to. Holds secrets, so it is not to be printed. */
export interface Egress extends ConnectOptions {
  /** Whether it may lie in a private network. */
  readonly internal: boolean;
  /** Address of the proxy that leads to it, if one does. */
  readonly proxy: string | undefined;
}

/** A provider of one's own network is not behind the proxy to the world, unless it names one itself. */
export function egressOf(provider: ProviderConfig, { proxy: general }: GatewayConfig['egress']): Egress {
  const { internal, tls, timeouts } = provider;
  const proxy = provider.proxy ?? (internal ? 'none' : (general ?? 'none'));
  return {
    internal,
    proxy: proxy === 'none' ? undefined : proxy.reveal(),
    timeout: timeouts.connectMs,
    ca: tls?.ca,
    cert: tls?.cert,
    key: tls?.key?.reveal(),
    servername: tls?.servername,
  };
}

export const sameEgress = (one: Egress, other: Egress): boolean => isDeepStrictEqual(one, other);

/**
 * Makes every connection to a provider: to public addresses only, unless it is internal. Through a proxy it is the proxy that
 * resolves names, which the gateway often cannot, so only an address that is written out can be refused here.
 */
export function providerConnector({ internal, proxy, ...options }: Egress): buildConnector.connector {
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
