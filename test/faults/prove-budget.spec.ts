import { figuresOf } from '../support/proof/figures';
import { prove } from '../support/proof/prove';
import { faultsOf, gapsOf } from '../support/proof/verdict';

/** The public proof, short: `npm run prove:budget` runs it longer, and with any seed. */

const OPTIONS = { seconds: 20, gateways: 3, calls: 150, tenants: 4, seed: 20_261_122 };

test('no budget is passed and no completed call goes unbilled, whoever dies or lies', async () => {
  const proof = await prove(OPTIONS, () => undefined);
  const { evidence, deeds, exitCodes } = proof;
  try {
    expect(faultsOf(evidence)).toEqual([]);
    expect(gapsOf(evidence, deeds)).toEqual([]);
    expect(exitCodes).toEqual([0, 0, 0]);
  } catch (error) {
    // The figures say what kind of run it was.
    process.stderr.write(`${figuresOf(proof)}\n`);
    throw error;
  }
}, 180_000);
