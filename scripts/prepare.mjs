import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Brings a clone into a state in which it can run: dependencies as the lock file says, `dist` as the sources say. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

const INSTALL_STAMP = join(ROOT, 'node_modules/.openclawmu-installed');
/** The real clients that end-to-end tests run, apart from what the gateway is made of: they are large, and need a newer Node.js. */
const CLIENTS = join(ROOT, 'test/clients');
const CLIENTS_STAMP = join(CLIENTS, 'node_modules/.openclawmu-installed');
const BUILD_STAMP = join(ROOT, 'dist/.openclawmu-built');
const MINUTE_MS = 60_000;
/** npm reports every package it fetches; when it says nothing for so long, it hangs. */
const SILENCE_MS = 3 * MINUTE_MS;
const BUILD_LIMIT_MS = 10 * MINUTE_MS;
/** What npm runs for us at the moment: a signal that ends us ends all of it. */
const running = new Set();

/** Ends the process when this Node.js cannot `require` the ES modules NestJS is made of. */
export function requireNode(version = process.versions.node) {
  const [major, minor] = version.split('.').map(Number);
  if (major >= 23 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19)) return;
  console.error(`OpenClawMU needs Node.js 20.19, 22.12 or newer; this is ${version} (${process.execPath}).`);
  process.exit(1);
}

/** Installs, unless what is there already is what the lock file names. */
export async function ensureInstalled() {
  const lock = readFileSync(join(ROOT, 'package-lock.json'), 'utf8');
  const fingerprint = digest([process.platform, process.arch, lock]);
  if (read(INSTALL_STAMP) === fingerprint) return;
  if (!isInstalled(JSON.parse(lock))) await step('Installing dependencies', () => install(ROOT, ['--include=dev']));
  writeFileSync(INSTALL_STAMP, fingerprint);
}

/** Installs the clients that tests run, unless they are there. Nothing of theirs is executed for it. */
export async function ensureClients() {
  const fingerprint = digest([
    process.platform,
    process.arch,
    readFileSync(join(CLIENTS, 'package-lock.json'), 'utf8'),
  ]);
  if (read(CLIENTS_STAMP) === fingerprint) return;
  await step('Installing the clients for tests', () => install(CLIENTS, ['--ignore-scripts']));
  writeFileSync(CLIENTS_STAMP, fingerprint);
}

/** Builds when a source was changed, added or removed since the last build. Tests are not part of it. */
export async function ensureBuilt() {
  const fingerprint = digest(
    sources().map((path) => `${relative(ROOT, path)} ${statSync(path).mtimeMs} ${statSync(path).size}`),
  );
  if (read(BUILD_STAMP) === fingerprint) return;
  await step('Building', async () => {
    // What is left of a deleted source, a migration say, would still be found and run.
    rmSync(join(ROOT, 'dist'), { recursive: true, force: true });
    await npm(['run', 'build'], { limitMs: BUILD_LIMIT_MS });
  });
  mkdirSync(dirname(BUILD_STAMP), { recursive: true });
  writeFileSync(BUILD_STAMP, fingerprint);
}

async function install(cwd, options) {
  const attempt = (command) =>
    npm([...command, ...options, '--no-audit', '--no-fund', '--loglevel=http'], { silenceMs: SILENCE_MS, cwd });
  const patiently = (command) =>
    attempt(command).catch((error) => (error.hung ? attempt(command) : Promise.reject(error)));
  try {
    await patiently(['ci']);
  } catch (error) {
    // A lock file written against a registry that lacks other systems' optional packages has gaps, over which `npm ci` stumbles.
    // This keeps to the versions the lock file has, fills the gaps and writes neither file.
    if (!error.output.includes('code EUSAGE')) throw error;
    await patiently(['install', '--no-save']);
  }
}

/** Somebody may have run `npm ci` by hand: npm keeps a list of what it laid down. */
function isInstalled({ packages }) {
  const installed = JSON.parse(read(join(ROOT, 'node_modules/.package-lock.json')) ?? '{}').packages ?? {};
  const isMeantForHere = ({ optional, devOptional, os, cpu, libc }) =>
    !(optional || devOptional) || Boolean(!libc && os?.includes(process.platform) && cpu?.includes(process.arch));
  return Object.entries(packages).every(
    ([path, wanted]) => path === '' || !isMeantForHere(wanted) || installed[path]?.version === wanted.version,
  );
}

function sources() {
  const files = ['apps', 'libs'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !/[.-]spec\.ts$/.test(entry.name))
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name)),
  );
  const settings = [
    ...['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'nest-cli.json'],
    'scripts/bundle.mjs',
  ].map((name) => join(ROOT, name));
  return [...files, ...settings].sort();
}

async function step(title, work) {
  const start = Date.now();
  process.stderr.write(`${title}…\n`);
  try {
    await work();
  } catch (error) {
    process.stderr.write(`${title} failed.\n`);
    throw error;
  }
  process.stderr.write(`${title} took ${((Date.now() - start) / 1000).toFixed(1)} s.\n`);
}

/** Runs npm quietly; what it said is in the error when it fails. `hung` marks one that was given up waiting for. */
function npm(args, { silenceMs, limitMs, cwd = ROOT }) {
  const cli = process.env.npm_execpath?.endsWith('npm-cli.js') ? [process.execPath, process.env.npm_execpath] : ['npm'];
  const [file, ...rest] = [...cli, ...args];
  return new Promise((resolve, reject) => {
    // A process group of its own, so that nothing npm started survives when it is given up.
    const env = { ...process.env, SCARF_ANALYTICS: 'false' }; // a dependency's install script reports to its maker otherwise
    const child = spawn(file, rest, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    let output = '';
    let hung = false;
    const giveUp = () => {
      hung = true;
      killGroup(child);
    };
    const timer = setTimeout(giveUp, silenceMs ?? limitMs);
    running.add(child);
    const interrupt = (signal) => {
      running.forEach(killGroup);
      process.exit(signal === 'SIGINT' ? 130 : 143);
    };
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
        if (silenceMs) timer.refresh();
      });
    }
    process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
    const finish = (problem) => {
      clearTimeout(timer);
      running.delete(child);
      process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
      if (problem) reject(Object.assign(new Error(`npm ${args[0]}: ${problem}`), { hung, output: excerpt(output) }));
      else resolve();
    };
    child.once('error', ({ code, message }) => finish(code === 'ENOENT' ? 'npm was not found on the PATH' : message));
    child.once('close', (code) =>
      finish(hung ? 'no progress, given up' : code === 0 ? undefined : `exit code ${code}`),
    );
  });
}

function killGroup({ pid }) {
  try {
    if (pid) process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended by itself in the meantime.
  }
}

/** For people: a failure is what the tool said, not our stack trace. */
export function explain({ message, output, stack }) {
  console.error(output === undefined ? stack : `${message}\n${output}`);
}

/** The beginning, where npm says what is wrong, and the end, where a compiler does. */
function excerpt(output) {
  const lines = output.split('\n').filter((line) => line && !/^npm (http|warn EBADENGINE)/.test(line));
  return (lines.length > 80 ? [...lines.slice(0, 40), '…', ...lines.slice(-40)] : lines).join('\n');
}

const read = (path) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined);

function digest(parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex');
}
