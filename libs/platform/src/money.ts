/** One unit of a currency in nano-units. All money inside the gateway is a `bigint` count of these. */
export const NANOS_PER_UNIT = 1_000_000_000n;

const DECIMAL = /^(-?)(\d{1,18})(?:\.(\d{1,9}))?$/;

/** Parses an exact decimal such as `12.5` into nano-units. @throws RangeError on anything else, more than 9 decimals included. */
export function parseNanos(text: string): bigint {
  const match = DECIMAL.exec(text.trim());
  if (!match) throw new RangeError(`"${text}" is not a decimal amount with at most 9 decimals`);
  const [, sign, whole, fraction = ''] = match;
  const nanos = BigInt(whole as string) * NANOS_PER_UNIT + BigInt(fraction.padEnd(9, '0'));
  return sign ? -nanos : nanos;
}

/** The exact decimal of an amount: no exponent, no rounding, at least two decimals (`12.50`, `0.000000075`). */
export function formatNanos(nanos: bigint): string {
  const sign = nanos < 0n ? '-' : '';
  const size = nanos < 0n ? -nanos : nanos;
  const fraction = (size % NANOS_PER_UNIT)
    .toString()
    .padStart(9, '0')
    .replace(/0{1,7}$/, '');
  return `${sign}${size / NANOS_PER_UNIT}.${fraction}`;
}
