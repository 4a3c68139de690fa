import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, visit, type Document } from 'yaml';
import type { z } from 'zod';
import { configSchema, WEAKENING, type GatewayConfig } from './schema';
import { applyStandardVariables } from './telemetry';

/** All that is wrong with a configuration, one line each, with where to find it. */
export class ConfigError extends Error {
  constructor(
    readonly file: string,
    readonly problems: readonly string[],
  ) {
    super(`The configuration is not valid (${file}):\n${problems.map((p) => `  - ${p}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

type Environment = Readonly<Record<string, string | undefined>>;
type Tree = Record<string, unknown>;
type Path = readonly PropertyKey[];

/** Environment variables that set a value of the file's tree; they win over the file. */
const FROM_ENVIRONMENT: Readonly<Record<string, { path: readonly string[]; number?: true }>> = {
  DATABASE_URL: { path: ['database', 'url'] },
  DATABASE_MIGRATION_URL: { path: ['database', 'migrationUrl'] },
  OPENCLAWMU_HOST: { path: ['server', 'host'] },
  OPENCLAWMU_PORT: { path: ['server', 'port'], number: true },
  OPENCLAWMU_DATA_DIR: { path: ['dataDir'] },
  OPENCLAWMU_TIMEZONE: { path: ['timezone'] },
  OPENCLAWMU_LOG_LEVEL: { path: ['logging', 'level'] },
};

/** Read by the command line tool and by the launcher, not by the gateway. */
const FOREIGN = new Set(['OPENCLAWMU_CONFIG', 'OPENCLAWMU_URL', 'OPENCLAWMU_ADMIN_KEY', 'OPENCLAWMU_TOKEN']);

/** How Kubernetes tells each pod the address of a service that has our name. */
const SERVICE_LINK = /^OPENCLAWMU_(SERVICE_(HOST|PORT)|PORT_\d+_)/;

/** Providers that need nothing but their well-known key in the environment. */
const WELL_KNOWN = {
  anthropic: { key: 'ANTHROPIC_API_KEY', dialect: 'anthropic', baseUrl: 'https://api.anthropic.com' },
  openai: { key: 'OPENAI_API_KEY', dialect: 'openai', baseUrl: 'https://api.openai.com' },
  gemini: { key: 'GEMINI_API_KEY', dialect: 'gemini', baseUrl: 'https://generativelanguage.googleapis.com' },
} as const;

/**
 * Reads and validates the configuration.
 * @throws ConfigError naming every problem at once: YAML syntax, unknown keys, wrong values, unset variables.
 */
export function loadConfig(file: string, env: Environment): GatewayConfig {
  const problems: string[] = [];
  const lines = new LineCounter();
  const text = readText(file);
  // Whoever writes a file anew empties it first; taken for settings it would take every key and provider away.
  if (text === '')
    throw new ConfigError(file, ['is empty: it may be being written; if no settings are meant, put a comment into it']);
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  if (document.errors.length > 0) throw new ConfigError(file, document.errors.map(faultOfSyntax));

  const placeOf = (path: Path): string => placeIn(document, lines, env, path);
  interpolate(document, lines, env, problems);
  const tree = readTree(file, document, problems);
  applyEnvironment(tree, env, problems);
  applyWellKnownProviders(tree, env);
  applyStandardVariables(tree, env);

  // A parser compiled for a file that is read once costs more than it saves.
  const parsed = configSchema.safeParse(tree, { jitless: true });
  if (!parsed.success) problems.push(...parsed.error.issues.flatMap((issue) => describe(issue, placeOf)));
  if (problems.length > 0 || !parsed.success) throw new ConfigError(file, problems);
  return { ...parsed.data, dataDir: resolve(dirname(resolve(file)), parsed.data.dataDir) };
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError(file, [`cannot be read: ${(error as Error).message}`]);
  }
}

/** The parser's first line says what and where. What it quotes from the file may be part of a secret, so that is cut out. */
const faultOfSyntax = ({ message }: Error): string =>
  (message.split('\n')[0] as string).replace(/: .* at line/, ' at line').replace(/:$/, '');

function readTree(file: string, document: Document, problems: string[]): Tree {
  let value: unknown;
  try {
    value = document.toJS() ?? {};
  } catch {
    // The parser's own words quote the value.
    throw new ConfigError(file, [
      'an alias ("*name") names no anchor or repeats too much; quote a value that starts with "*"',
    ]);
  }
  if (isTree(value)) return withoutEmpty(value);
  problems.push('the file must hold settings as "name: value"');
  return {};
}

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);

/** A section whose settings are all commented out reads as null, and means the same as no section. */
const withoutEmpty = (tree: Tree): Tree =>
  Object.fromEntries(
    Object.entries(tree).flatMap(([key, value]) =>
      value === null ? [] : [[key, isTree(value) ? withoutEmpty(value) : value]],
    ),
  );

/** Replaces `${NAME}` in scalar values, so that the file itself need hold no secret. */
function interpolate(document: Document, lines: LineCounter, env: Environment, problems: string[]): void {
  visit(document, {
    Scalar(key, node) {
      if (key === 'key' || typeof node.value !== 'string') return;
      node.value = node.value.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, variable: string) => {
        const value = env[variable];
        if (value === undefined || value === '')
          problems.push(
            `\${${variable}} is used${lineAt(node.range?.[0], lines)}, but the environment variable ${variable} is not set`,
          );
        return value ?? '';
      });
    },
  });
}

function applyEnvironment(tree: Tree, env: Environment, problems: string[]): void {
  for (const [variable, { path, number }] of Object.entries(FROM_ENVIRONMENT)) {
    const text = env[variable];
    if (text === undefined || text === '') continue;
    let parent: unknown = tree;
    for (const part of path.slice(0, -1)) parent = isTree(parent) ? (parent[part] ??= {}) : parent;
    // A parent that is no map stays as it is; the schema names it.
    if (isTree(parent)) parent[path.at(-1) as string] = number && /^\d+$/.test(text) ? Number(text) : text;
  }
  for (const variable of Object.keys(env)) {
    if (!variable.startsWith('OPENCLAWMU_') || FROM_ENVIRONMENT[variable] || FOREIGN.has(variable)) continue;
    const remedy = SERVICE_LINK.test(variable)
      ? 'Kubernetes makes it of a service named openclawmu; give the pod "enableServiceLinks: false"'
      : `known are ${Object.keys(FROM_ENVIRONMENT).join(', ')}`;
    problems.push(`environment variable ${variable} is not known; ${remedy}`);
  }
}

function applyWellKnownProviders(tree: Tree, env: Environment): void {
  const providers = (tree.providers ??= {});
  if (!isTree(providers)) return;
  for (const [name, { key, dialect, baseUrl }] of Object.entries(WELL_KNOWN)) {
    const apiKey = env[key];
    if (apiKey && providers[name] === undefined) providers[name] = { dialect, baseUrl, apiKey };
  }
}

function describe(issue: z.core.$ZodIssue, placeOf: (path: Path) => string): string[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => {
      const path = [...issue.path, key];
      return `${placeOf(path)}: ${weakening(path.join('.')) ?? 'is not a known setting'}`;
    });
  const { message } = issue.code === 'invalid_key' ? (issue.issues[0] ?? issue) : issue;
  return [`${placeOf(issue.path)}: ${message}`];
}

/** `audit` as a whole may be unknown territory, so a weakening switch is looked for below it too. */
const weakening = (path: string): string | undefined => {
  const found = WEAKENING.get(path) ?? [...WEAKENING].find(([key]) => key.startsWith(`${path}.`))?.[1];
  return found && `would weaken enforcement and is refused: ${found}`;
};

/** A setting and where its value came from: a variable, its line, or the line of the nearest setting around it. */
function placeIn(document: Document, lines: LineCounter, env: Environment, path: Path): string {
  const name = path.map(String).join('.');
  const variable = Object.keys(FROM_ENVIRONMENT).find(
    (key) => env[key] && FROM_ENVIRONMENT[key]?.path.join('.') === name,
  );
  if (variable) return `${name} (from ${variable})`;
  let node: unknown = document.contents;
  let offset: number | undefined;
  for (const part of path) {
    const pair = isMap(node) ? node.items.find(({ key }) => isScalar(key) && String(key.value) === part) : undefined;
    const value: unknown = isSeq(node) ? node.items[part as number] : pair?.value;
    const place = pair?.key ?? value;
    if (!isNode(place)) break;
    offset = place.range?.[0];
    node = value;
  }
  return `${name || 'the file'}${lineAt(offset, lines)}`;
}

const lineAt = (offset: number | undefined, lines: LineCounter): string =>
  offset === undefined ? '' : ` (line ${lines.linePos(offset).line})`;
