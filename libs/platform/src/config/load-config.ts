import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isMap, isPair, isScalar, LineCounter, parseDocument, visit, type Document } from 'yaml';
import type { z } from 'zod';
import { configSchema, WEAKENING, type GatewayConfig } from './schema';

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

/** Providers that need nothing but their well-known key in the environment. */
const WELL_KNOWN = {
  anthropic: { key: 'ANTHROPIC_API_KEY', dialect: 'anthropic', baseUrl: 'https://api.anthropic.com' },
  openai: { key: 'OPENAI_API_KEY', dialect: 'openai', baseUrl: 'https://api.openai.com' },
} as const;

/**
 * Reads and validates the configuration.
 * @throws ConfigError naming every problem at once: YAML syntax, unknown keys, wrong values, unset variables.
 */
export function loadConfig(file: string, env: Environment): GatewayConfig {
  const problems: string[] = [];
  const lines = new LineCounter();
  const document = parseDocument(readText(file), { lineCounter: lines, uniqueKeys: true });
  for (const error of document.errors) problems.push(error.message.split('\n')[0] as string);
  if (problems.length > 0) throw new ConfigError(file, problems);

  interpolate(document, env, problems);
  const tree = asTree(document.toJS() ?? {}, problems);
  applyEnvironment(tree, env, problems);
  applyWellKnownProviders(tree, env);

  const parsed = configSchema.safeParse(tree);
  if (!parsed.success) problems.push(...parsed.error.issues.flatMap((issue) => describe(issue, document, lines)));
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

function asTree(value: unknown, problems: string[]): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  problems.push('the file must hold settings as "name: value"');
  return {};
}

/** Replaces `${NAME}` in scalar values, so that the file itself need hold no secret. */
function interpolate(document: Document, env: Environment, problems: string[]): void {
  visit(document, {
    Scalar(key, node) {
      if (key === 'key' || typeof node.value !== 'string') return;
      node.value = node.value.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, variable: string) => {
        const value = env[variable];
        if (value === undefined || value === '')
          problems.push(`\${${variable}} is used, but the environment variable ${variable} is not set`);
        return value ?? '';
      });
    },
  });
}

function applyEnvironment(tree: Record<string, unknown>, env: Environment, problems: string[]): void {
  for (const [variable, { path, number }] of Object.entries(FROM_ENVIRONMENT)) {
    const text = env[variable];
    if (text === undefined || text === '') continue;
    const parents = path.slice(0, -1);
    let node = tree;
    for (const part of parents) node = (node[part] ??= {}) as Record<string, unknown>;
    node[path.at(-1) as string] = number ? Number(text) : text;
  }
  for (const variable of Object.keys(env)) {
    if (!variable.startsWith('OPENCLAWMU_') || FROM_ENVIRONMENT[variable] || FOREIGN.has(variable)) continue;
    problems.push(
      `environment variable ${variable} is not known; known are ${Object.keys(FROM_ENVIRONMENT).join(', ')}`,
    );
  }
}

function applyWellKnownProviders(tree: Record<string, unknown>, env: Environment): void {
  const providers = (tree.providers ??= {}) as Record<string, unknown>;
  for (const [name, { key, dialect, baseUrl }] of Object.entries(WELL_KNOWN)) {
    const apiKey = env[key];
    if (apiKey && typeof providers === 'object' && providers !== null && providers[name] === undefined)
      providers[name] = { dialect, baseUrl, apiKey };
  }
}

function describe(issue: z.core.$ZodIssue, document: Document, lines: LineCounter): string[] {
  const at = (path: readonly PropertyKey[]): string => {
    const line = lineOf(path, document, lines);
    return `${path.map(String).join('.') || 'the file'}${line === null ? '' : ` (line ${line})`}`;
  };
  if (issue.code !== 'unrecognized_keys') return [`${at(issue.path)}: ${issue.message}`];
  return issue.keys.map((key) => {
    const path = [...issue.path, key];
    return `${at(path)}: ${weakening(path.join('.')) ?? 'is not a known setting'}`;
  });
}

/** `audit` as a whole may be unknown territory, so a weakening switch is looked for below it too. */
const weakening = (path: string): string | undefined => {
  const found = WEAKENING.get(path) ?? [...WEAKENING].find(([key]) => key.startsWith(`${path}.`))?.[1];
  return found && `would weaken enforcement and is refused: ${found}`;
};

function lineOf(path: readonly PropertyKey[], document: Document, lines: LineCounter): number | null {
  let node: unknown = document.contents;
  let range: readonly [number, number, number] | null | undefined;
  for (const part of path) {
    if (!isMap(node)) break;
    const pair = node.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === part);
    if (!pair) return null;
    range = isScalar(pair.key) ? pair.key.range : null;
    node = pair.value;
  }
  return range ? lines.linePos(range[0]).line : null;
}
