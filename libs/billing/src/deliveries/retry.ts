const MINUTE_MS = 60_000;
const PAUSES_MS = [1, 5, 15, 60, 120, 240, 480].map((minutes) => minutes * MINUTE_MS);

/** How often a run is tried before it is given up: over about fifteen hours. */
export const MOST_ATTEMPTS = PAUSES_MS.length + 1;

/** The pause after a failed attempt; `null` to give up. @param attempts made so far, at least 1 */
export const pauseAfterMs = (attempts: number): number | null => PAUSES_MS[attempts - 1] ?? null;
