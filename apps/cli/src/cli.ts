import type { GatewayClient } from './gateway-client';
import type { Output } from './output';

/** What every command is given. */
export interface Cli {
  readonly out: Output;
  /** Not called by commands that work without a gateway. */
  readonly gateway: GatewayClient;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Takes undefined members out, so that "not given" and "not changed" are the same to the gateway. */
export const given = <T extends object>(options: T): Partial<T> =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
