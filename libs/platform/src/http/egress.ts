import { lookup } from 'node:dns';
import { BlockList, isIP, isIPv4, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';

/**
 * What is not on the public internet: the IANA special-purpose address registries of IPv4 and IPv6 (RFC 6890 and its updates),
 * multicast, and what wraps an IPv4 address (6to4, Teredo), which would hide one of these.
 */
const RESERVED = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  RESERVED.addSubnet(network, bits, 'ipv4');
for (const [network, bits] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  RESERVED.addSubnet(network, bits, 'ipv6');

/** All of IPv6 that is handed out for the public internet so far (RFC 4291, section 2.4). */
const GLOBAL_UNICAST = new BlockList();
GLOBAL_UNICAST.addSubnet('2000::', 3, 'ipv6');

/** @param address an IP address, without brackets or zone */
export const isPublicAddress = (address: string): boolean =>
  isIPv4(address)
    ? !RESERVED.check(address, 'ipv4')
    : isIP(address) === 6 && GLOBAL_UNICAST.check(address, 'ipv6') && !RESERVED.check(address, 'ipv6');

/** A name or address that leads into a private network. The message is for whoever configured it. */
export class PrivateAddress extends Error {
  constructor(host: string) {
    super(`${host} is not an address of the public internet`);
    this.name = 'PrivateAddress';
  }
}

/** Resolves a name to those of its addresses that are public; fails if there are none. */
const lookupPublic: LookupFunction = (host, options, callback) =>
  lookup(host, { ...options, all: true }, (error, found) => {
    if (error) return callback(error, '');
    const addresses = found.filter(({ address }) => isPublicAddress(address));
    const [first] = addresses;
    if (!first) return callback(new PrivateAddress(host), '');
    if (options.all) callback(null, addresses);
    else callback(null, first.address, first.family);
  });

/** How a connection is made, beyond where to. */
export interface ConnectOptions {
  /** The connection must stand by then. */
  readonly timeout: number;
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Under which the server's certificate is checked, where it is not the host. */
  readonly servername?: string | undefined;
}

/** A connector for an undici `Agent` or `Pool` that reaches whatever it is told to. */
export const anyConnector = (options: ConnectOptions): buildConnector.connector =>
  buildConnector(withoutUnset(options));

/**
 * One that reaches public addresses only. A name is resolved once and the connection goes to the very address that was
 * checked, so a name that changes its mind in between (DNS rebinding) gains nothing.
 */
export function publicConnector(options: ConnectOptions): buildConnector.connector {
  const connect = buildConnector({ ...withoutUnset(options), lookup: lookupPublic });
  return (to, callback) => {
    const refused = refusedAddress(to.hostname);
    if (refused) callback(refused, null);
    else connect(to, callback);
  };
}

/** What keeps an address that is written out, and so never looked up, from being reached as a public one. */
export function refusedAddress(hostname: string): PrivateAddress | null {
  const host = hostname.replace(/^\[|\]$/g, '');
  return isIP(host) !== 0 && !isPublicAddress(host) ? new PrivateAddress(host) : null;
}

/** A `servername` that is there and undefined would be taken for one. */
const withoutUnset = (options: ConnectOptions): ConnectOptions =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as unknown as ConnectOptions;
