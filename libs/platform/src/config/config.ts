import { ConfigError, loadConfig } from './load-config';
import type { GatewayConfig } from './schema';

/** Settings that are wired in at start; a reload that changes one of them is refused as a whole. */
const FIXED = ['dataDir', 'timezone', 'database', 'journal'] as const;
const FIXED_SERVER = [
  'host',
  'port',
  'headerLimitBytes',
  'headersTimeoutMs',
  'bodyTimeoutMs',
  'trustedProxies',
] as const;

/** The configuration in force. Readers call `current` each time, so a reload reaches them without being told. */
export class Config {
  readonly #listeners = new Set<(config: GatewayConfig) => void>();
  /** Private to the language, not only to the compiler: the environment holds keys and must not be printed with this. */
  readonly #env: Readonly<Record<string, string | undefined>>;

  private constructor(
    private readonly file: string,
    env: Readonly<Record<string, string | undefined>>,
    private config: GatewayConfig,
  ) {
    this.#env = env;
  }

  /** @throws ConfigError with every problem of the file and the environment. */
  static load(file: string, env: Readonly<Record<string, string | undefined>> = process.env): Config {
    return new Config(file, env, loadConfig(file, env));
  }

  get current(): GatewayConfig {
    return this.config;
  }

  get path(): string {
    return this.file;
  }

  /** Reads the file again. On any problem the old configuration stays in force. @throws ConfigError */
  reload(): void {
    const next = loadConfig(this.file, this.#env);
    const changed = [
      ...FIXED.filter((key) => !sameSettings(next[key], this.config[key])),
      ...FIXED_SERVER.filter((key) => !sameSettings(next.server[key], this.config.server[key])).map(
        (key) => `server.${key}`,
      ),
    ];
    if (changed.length > 0)
      throw new ConfigError(
        this.file,
        changed.map((key) => `${key} cannot change while the gateway runs; restart it for that`),
      );
    this.config = next;
    for (const listener of this.#listeners) listener(next);
  }

  /** Calls `listener` after every successful reload. */
  onReload(listener: (config: GatewayConfig) => void): void {
    this.#listeners.add(listener);
  }
}

/** Whether prompts and answers stand in the traces of calls that are recorded. */
export const tracesContent = ({ telemetry }: GatewayConfig): boolean =>
  telemetry.enabled && telemetry.traces.enabled && telemetry.content;

/** Secrets print as a mask, so they are compared by value here. */
export const sameSettings = (a: unknown, b: unknown): boolean =>
  JSON.stringify(a, reveal) === JSON.stringify(b, reveal);

function reveal(this: unknown, key: string, value: unknown): unknown {
  const raw = (this as Record<string, unknown>)[key];
  return typeof raw === 'object' && raw !== null && 'reveal' in raw ? (raw as { reveal(): string }).reveal() : value;
}
