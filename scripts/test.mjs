// npm test: installs, builds, checks and runs all layers; arguments after `--` go to jest. Whatever happens, the last line is
// `N passed, N failed` (with `, N skipped` when some were), where a failed install, build or check counts as one.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuilt, ensureClients, ensureInstalled, explain, requireNode, ROOT } from './prepare.mjs';

requireNode();
process.chdir(ROOT);

const tally = { passed: 0, failed: 0, skipped: 0 };
// The clients are a tree of their own and the checks read the sources only, so neither waits for what it does not need. Whatever
// fails first, all come to their end before the last line is written.
const clients = attempt(ensureClients());
if (await attempt(ensureInstalled())) {
  const checks = attempt(check());
  const isBuilt = await attempt(ensureBuilt());
  await checks;
  if ((await clients) && isBuilt) await attempt(test(process.argv.slice(2)));
}
await clients;
const { passed, failed, skipped } = tally;
process.stdout.write(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
process.exitCode = failed > 0 ? 1 : 0;

/** Counts a failure and says why. @returns whether there was none */
async function attempt(work) {
  try {
    await work;
    return true;
  } catch (error) {
    explain(error);
    tally.failed += 1;
    return false;
  }
}

async function check() {
  // It has said why.
  if ((await run('npm', ['run', '--silent', 'check'])) !== 0) tally.failed += 1;
}

async function test(args) {
  const file = join(ROOT, `.tmp/tally-${process.pid}.json`);
  mkdirSync(join(ROOT, '.tmp'), { recursive: true });
  // Workers inherit the flag. There are more processes than cores, so threads that help a collector only get in its way.
  const jest = ['--single-threaded-gc', 'node_modules/jest/bin/jest.js', ...args];
  const code = await run(process.execPath, jest, { TEST_TALLY_FILE: file });
  // No counts: jest itself could not run, and has said why.
  const counts = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { passed: 0, failed: 1, skipped: 0 };
  rmSync(file, { force: true });
  for (const key of Object.keys(tally)) tally[key] += counts[key];
  // Something beside the tests themselves: the teardown, a handle left open, a coverage threshold.
  if (code !== 0 && counts.failed === 0) tally.failed += 1;
}

/** Resolves with the exit code; what the command says is shown as it comes. */
function run(command, args, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...env } });
    const relay = (signal) => child.kill(signal);
    process.on('SIGINT', relay).on('SIGTERM', relay);
    child.once('error', reject);
    child.once('close', (code) => {
      process.off('SIGINT', relay).off('SIGTERM', relay);
      resolve(code ?? 1);
    });
  });
}
