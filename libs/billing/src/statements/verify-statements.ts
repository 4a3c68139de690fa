import { CorrectionChains } from './correction-chains';
import { Verification, type StatementExport, type StatementVerdict } from './verify-statement';

/**
 * Recomputes closed statements from their exported files alone and names every line that is not as it was closed.
 * Corrections are recomputed from the lines they correct, in whichever of the statements these are.
 * @returns a verdict for each, in the order of `exports`
 * @throws RangeError for a schema of a later version
 */
export async function verifyStatements(exports: readonly StatementExport[]): Promise<StatementVerdict[]> {
  const verifications = exports.map((files) => new Verification(files));
  const chains = new CorrectionChains<Verification>();
  for (const verification of verifications) await verification.announce(chains);
  for (const verification of verifications) await verification.read(chains);
  const given = exports.map(({ manifest }) => manifest);
  for (const verification of verifications) verification.checkManifest(given);
  for (const [place, finding] of chains.findings()) place.bill.judge(place, finding, given);
  return verifications.map((verification) => verification.verdict());
}
