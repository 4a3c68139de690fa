// Runs a TypeScript tool of test/support in a child process, after installing and building what is missing.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ensureBuilt, ensureInstalled, explain, requireNode, ROOT } from './prepare.mjs';

const HOOK = join(ROOT, 'libs/audit/fixtures/typescript-hook.cjs');

/** @param failed the exit code when the tool cannot be started or dies of a signal; otherwise it is the tool's own */
export async function runTool(tool, failed) {
  requireNode();
  process.chdir(ROOT);
  try {
    await ensureInstalled();
    await ensureBuilt();
  } catch (error) {
    explain(error);
    process.exit(failed);
  }
  // The child stays in the foreground's group, so that Ctrl-C reaches it and all it started.
  const args = ['-r', HOOK, join(ROOT, 'test/support', tool), ...process.argv.slice(2)];
  process.exit(spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? failed);
}
