// npm run bench:reports: measures reports over millions of rows. It asserts nothing: figures depend on the machine.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ensureInstalled, explain, requireNode, ROOT } from './prepare.mjs';

requireNode();
process.chdir(ROOT);
try {
  await ensureInstalled();
} catch (error) {
  explain(error);
  process.exit(1);
}
const hook = join(ROOT, 'libs/audit/fixtures/typescript-hook.cjs');
const main = join(ROOT, 'test/support/bench/reports.ts');
const { status } = spawnSync(process.execPath, ['-r', hook, main, ...process.argv.slice(2)], { stdio: 'inherit' });
process.exit(status ?? 1);
