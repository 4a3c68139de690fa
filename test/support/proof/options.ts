import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

/** How a proof is run. */
export interface ProofOptions {
  /** How long calls are made, without start and recovery. */
  readonly seconds: number;
  readonly gateways: number;
  /** Calls under way at any moment. */
  readonly calls: number;
  readonly tenants: number;
  /** Decides what is called, aborted and killed, and when; how processes interleave it cannot decide. */
  readonly seed: number;
}

export const USAGE = `npm run prove:budget -- [options]
  --seconds N   how long calls are made (60)
  --gateways N  gateway processes on one database (3)
  --calls N     calls under way at any moment (1000)
  --tenants N   departments with budgets (6)
  --seed N      of an earlier run, to make the same choices again`;

/** @throws Error that says which argument is wrong */
export function readOptions(args: readonly string[]): ProofOptions {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: { seconds: text, gateways: text, calls: text, tenants: text, seed: text },
  });
  const whole = (name: keyof typeof values, otherwise: number, least = 1): number => {
    const value = values[name] ?? String(otherwise);
    if (!/^\d{1,10}$/.test(value) || Number(value) < least)
      throw new Error(`--${name} takes a whole number of at least ${least}, not "${value}"`);
    return Number(value);
  };
  return {
    seconds: whole('seconds', 60),
    gateways: whole('gateways', 3),
    calls: whole('calls', 1_000),
    tenants: whole('tenants', 6, 2),
    seed: whole('seed', randomInt(1_000_000_000), 0),
  };
}
