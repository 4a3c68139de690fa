import { isServiceTier } from '@app/billing';

/** What providers call the tier that is nothing special. */
const STANDARD: readonly unknown[] = [undefined, null, '', 'default', 'standard', 'auto'];

/** The tier a call was served in as a ledger row has it, `null` for the standard one; undefined for what is no tier's name. */
export function tierReported(told: unknown): string | null | undefined {
  if (STANDARD.includes(told)) return null;
  return typeof told === 'string' && isServiceTier(told) ? told : undefined;
}
