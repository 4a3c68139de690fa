import { BrokenPromise } from './boundary';
import { figuresOf } from './figures';
import { readOptions, USAGE } from './options';
import { prove } from './prove';
import { faultsOf, gapsOf } from './verdict';

const SHOWN = 30;

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  const { seconds, gateways, calls, tenants, seed } = options;
  const line = (text: string): void => void process.stdout.write(`${text}\n`);
  line(`${calls} calls at once over ${gateways} gateways for ${seconds} s, ${tenants} tenants, seed ${seed}`);
  const proof = await prove(options, line);
  line(`\n${figuresOf(proof)}\n`);
  const faults = [...faultsOf(proof.evidence), ...gapsOf(proof.evidence, proof.deeds)];
  if (proof.exitCodes.some((code) => code !== 0)) faults.push(`gateways ended with ${proof.exitCodes.join(', ')}`);
  for (const fault of faults.slice(0, SHOWN)) line(`FAULT  ${fault}`);
  if (faults.length > SHOWN) line(`… and ${faults.length - SHOWN} more`);
  line(faults.length === 0 ? 'The promise was kept.' : `${faults.length} faults. Again with --seed ${seed}`);
  return faults.length === 0 ? 0 : 1;
}

main().then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    if (error instanceof BrokenPromise) {
      process.stdout.write(`FAULT  ${error.message}\n`);
      process.exitCode = 1;
      return;
    }
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}\n`);
    process.exitCode = 2;
  },
);
