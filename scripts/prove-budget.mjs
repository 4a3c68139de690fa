// npm run prove:budget: builds what is missing, then tries to pass a budget in every way we know. Exit code 0: it could not;
// 1: it could, and says how; 2: it could not be tried. See docs/failures.md.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ensureBuilt, ensureInstalled, explain, requireNode, ROOT } from './prepare.mjs';

requireNode();
process.chdir(ROOT);
try {
  await ensureInstalled();
  await ensureBuilt();
} catch (error) {
  explain(error);
  process.exit(2);
}
const hook = join(ROOT, 'libs/audit/fixtures/typescript-hook.cjs');
const main = join(ROOT, 'test/support/proof/main.ts');
// The child stays in the foreground's group, so that Ctrl-C reaches it and all it started.
const { status } = spawnSync(process.execPath, ['-r', hook, main, ...process.argv.slice(2)], { stdio: 'inherit' });
process.exit(status ?? 2);
