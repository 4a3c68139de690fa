import { request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { isIP, isIPv6, type Socket } from 'node:net';
import type { ConnectOptions } from './egress';

type Opened = (...result: [null, Socket] | [Error, null]) => void;

/** Has a proxy connect to a host (RFC 9110, section 9.3.6). What it says when it refuses is not repeated: only its status is. */
export function openTunnel(
  proxy: URL,
  to: { readonly hostname: string; readonly port: string; readonly protocol: string },
  { timeout, ca }: ConnectOptions,
  opened: Opened,
): void {
  const port = to.port || (to.protocol === 'https:' ? '443' : '80');
  const authority = `${isIPv6(to.hostname) ? `[${to.hostname}]` : to.hostname}:${port}`;
  const host = proxy.hostname.replace(/^\[|\]$/g, '');
  const request = (proxy.protocol === 'https:' ? tlsRequest : plainRequest)({
    method: 'CONNECT',
    host,
    // Left out, the name in the headers is taken: the one that the tunnel leads to.
    servername: isIP(host) === 0 ? host : '',
    port: proxy.port || (proxy.protocol === 'https:' ? 443 : 80),
    path: authority,
    headers: { host: authority, ...credentials(proxy) },
    agent: false,
    ...(ca === undefined ? {} : { ca }),
  });
  const timer = setTimeout(() => request.destroy(new TunnelTimeout()), timeout);
  const end: Opened = (...result) => {
    clearTimeout(timer);
    opened(...result);
  };
  request
    .once('connect', ({ statusCode }, socket, head) => {
      if (statusCode !== 200) {
        socket.destroy();
        return end(new Error(`the proxy ${proxy.host} answered ${statusCode}`), null);
      }
      if (head.length > 0) socket.unshift(head);
      end(null, socket);
    })
    // A proxy that does not know the method answers like any server.
    .once('response', (response) => {
      response.destroy();
      end(new Error(`the proxy ${proxy.host} answered ${response.statusCode}`), null);
    })
    .once('error', (error) => end(error, null))
    .end();
}

/** Named as undici names a connection that was not there in time. */
class TunnelTimeout extends Error {
  readonly code = 'UND_ERR_CONNECT_TIMEOUT';

  constructor() {
    super('the proxy did not connect in time');
  }
}

function credentials({ username, password }: URL): Record<string, string> {
  if (username === '') return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(pair).toString('base64')}` };
}
