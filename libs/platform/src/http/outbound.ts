import { Agent } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import type { Socket } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import type { buildConnector } from 'undici';
import type { GatewayConfig, ProviderConfig } from '../config/schema';
import { anyConnector, publicConnector, refusedAddress, type ConnectOptions } from './egress';
import { openTunnel } from './tunnel';

/** How a provider, a receiver of notices, a collector or a bucket is connected to. Holds secrets, so it is not to be printed. */
export interface Egress extends ConnectOptions {
  /** Whether it may lie in a private network. */
  readonly internal: boolean;
  /** Address of the proxy that leads to it, if one does. */
  readonly proxy: string | undefined;
}

/** What the configuration says of it. */
type Reached = Pick<ProviderConfig, 'internal' | 'proxy' | 'tls'>;

/** @param connectMs the connection must stand by then */
export const egressOf = (to: Reached, general: GatewayConfig['egress'], connectMs: number): Egress => ({
  internal: to.internal,
  proxy: proxyOf(to, general),
  timeout: connectMs,
  ca: to.tls?.ca,
  cert: to.tls?.cert,
  key: to.tls?.key?.reveal(),
  servername: to.tls?.servername,
});

/** What lies in one's own network is not behind the proxy to the world, unless it names one itself. */
function proxyOf({ internal, proxy: own }: Reached, { proxy: general }: GatewayConfig['egress']): string | undefined {
  const proxy = own ?? (internal ? 'none' : (general ?? 'none'));
  return proxy === 'none' ? undefined : proxy.reveal();
}

export const sameEgress = (one: Egress, other: Egress): boolean => isDeepStrictEqual(one, other);

/**
 * Makes every connection to a provider, a receiver, a collector or a bucket: to public addresses only, unless it is internal. Through a proxy it is
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

/** The same for a library that brings a client of its own, of `node:http` or `node:https`. Connections are kept for further requests. */
export function outboundAgent(protocol: string, egress: Egress): Agent {
  const connect = outboundConnector(egress);
  const agent = new (protocol === 'https:' ? TlsAgent : Agent)({ keepAlive: true });
  agent.createConnection = ({ host, port }, connected) => {
    const hostname = host ?? 'localhost';
    connect({ protocol, hostname, host: hostname, port: String(port ?? '') }, (error, socket) =>
      connected?.(error, socket as Socket),
    );
    return undefined;
  };
  return agent;
}
