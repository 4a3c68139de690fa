import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { note, ok, type Finding } from './finding';

const ABOUT = 'sandbox';
const TIMEOUT_MS = 10_000;
const run = promisify(execFile);

/** What running agents' code will need. Models work without it; code never runs outside a sandbox. */
export async function examineSandbox(platform: string = process.platform): Promise<Finding> {
  if (platform === 'linux') {
    const bubblewrap = await works('bwrap', ['--unshare-all', '--ro-bind', '/', '/', '--', '/bin/true']);
    if (bubblewrap === null) return ok(ABOUT, 'bubblewrap works');
    if ((await works('docker', ['version'])) === null) return ok(ABOUT, 'Docker works');
    return note(
      ABOUT,
      `neither bubblewrap (${bubblewrap}) nor Docker works`,
      'Only needed for agents that run code: install bubblewrap and allow unprivileged user namespaces.',
    );
  }
  const docker = await works('docker', ['version']);
  if (docker === null) return ok(ABOUT, 'Docker works');
  return note(
    ABOUT,
    `Docker does not work (${docker})`,
    'Only needed for agents that run code: install and start Docker.',
  );
}

/** `null` if it does, else why not. */
async function works(program: string, args: readonly string[]): Promise<string | null> {
  try {
    await run(program, args, { timeout: TIMEOUT_MS });
    return null;
  } catch (error) {
    const { code, stderr } = error as Error & { code?: string | number; stderr?: string };
    return code === 'ENOENT' ? 'not installed' : stderr?.trim().split('\n')[0] || String(code);
  }
}
