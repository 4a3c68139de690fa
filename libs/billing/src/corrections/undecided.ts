/** The reason of a correction by a rate card, as far as the ledger keeps one. */
export const repricingReason = (version: number, reason: string): string =>
  `rate card ${version}: ${reason}`.slice(0, 200);

/** Whether a correction was booked by a rate card, by what a bill has of it. */
export const isRepricing = (rateCard: string, reason: string): boolean => reason.startsWith(`rate card ${rateCard}: `);

/**
 * SQL: nobody has said what the call of a row `l` really used. A rate card for a time in the past says what it cost, so a row
 * that was corrected by nothing else waits as before.
 */
export const UNDECIDED = `NOT EXISTS (SELECT FROM ledger c WHERE c.at = l.at AND c.corrects = l.id
  AND NOT (starts_with(c.reason, 'rate card ' || c.rate_card || ': ') AND c.rate_card IN (SELECT version FROM card_corrections)))`;
