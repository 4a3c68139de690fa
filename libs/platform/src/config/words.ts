import { z } from 'zod';
import { Secret } from '../secret';

export const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,31}$/, 'use 1 to 32 of a-z, 0-9, "-" and "_", starting with a letter or digit');
/** A whole number; written out by a `${VARIABLE}` it arrives as digits. */
const number = (least: number, most: number) =>
  z.preprocess(
    (value) => (typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value),
    z.int().min(least).max(most),
  );
export const whole = (least: number, most: number, fallback: number) => number(least, most).default(fallback);
/** One that may be left out; a default would be taken in its place. */
export const wholeOrNone = (least: number, most: number) => number(least, most).optional();
/** A share of something, from 0 to 1; written likewise. */
export const share = z.preprocess(
  (value) => (typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? Number(value) : value),
  z.number().min(0).max(1),
);
export const ms = (fallback: number) => whole(1, 86_400_000, fallback);
export const secret = z
  .string()
  .min(1)
  .transform((value) => new Secret(value));

export const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** An address that cannot be parsed has been reported as such; nothing more is said of it. */
export function eachUrl(test: (url: URL) => boolean): (text: string) => boolean {
  return (text) => !URL.canParse(text) || test(new URL(text));
}

export const bare = eachUrl(({ username, password, search, hash }) => !(username || password || search || hash));
export const keepsSecrets = eachUrl(({ protocol, hostname }) => protocol === 'https:' || LOOPBACK.test(hostname));

function isProxy(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, pathname, search, hash } = new URL(text);
  return /^https?:$/.test(protocol) && pathname === '/' && search === '' && hash === '';
}

const NO_PROXY = 'is not the address of a proxy such as "http://proxy.example:3128"';

/** A proxy that opens tunnels (CONNECT); its address may hold a user and a password, so all of it is a secret. */
export const proxyUrl = z
  .string()
  .refine(isProxy, NO_PROXY)
  .transform((text) => new Secret(text));
/** The same, or `none`. */
export const proxyUrlOrNone = z
  .string()
  .refine((text) => text === 'none' || isProxy(text), `${NO_PROXY}, nor "none"`)
  .transform((text) => (text === 'none' ? text : new Secret(text)));
