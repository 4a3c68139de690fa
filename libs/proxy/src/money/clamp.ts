/** The shortest an answer is made that was to be longer; below it a refusal serves the caller better. */
export const LEAST_OUTPUT_TOKENS = 256;

/**
 * The lowest limit that an answer may be given in place of the one asked for; null where that is not above it.
 * @param thinkingTokens set aside for thinking: a provider refuses a limit that leaves nothing beside them
 */
export function leastLimit(asked: number, thinkingTokens: number): number | null {
  const least = thinkingTokens + LEAST_OUTPUT_TOKENS;
  return least < asked ? least : null;
}

/**
 * The largest limit from `least` up to below the one asked for that is payable; null where not even the least is.
 * @param isPayable whether a limit fits; what fits, fits when it is lower
 */
export function payableLimit(
  least: number,
  asked: number,
  isPayable: (outputTokens: number) => boolean,
): number | null {
  if (!isPayable(least)) return null;
  let [payable, most] = [least, asked - 1];
  while (payable < most) {
    const middle = Math.ceil((payable + most) / 2);
    if (isPayable(middle)) payable = middle;
    else most = middle - 1;
  }
  return payable;
}
