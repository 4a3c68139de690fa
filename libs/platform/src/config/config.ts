import { changedSettings, sameSettings } from './changed-settings';
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

  /**
   * Reads the file again. On any problem the old configuration stays in force.
   * @returns the names of the settings that changed
   * @throws ConfigError
   */
  reload(): readonly string[] {
    const next = loadConfig(this.file, this.#env);
    const fixed = [
      ...FIXED.filter((key) => !sameSettings(next[key], this.config[key])),
      ...FIXED_SERVER.filter((key) => !sameSettings(next.server[key], this.config.server[key])).map(
        (key) => `server.${key}`,
      ),
    ];
    if (fixed.length > 0)
      throw new ConfigError(
        this.file,
        fixed.map((key) => `${key} cannot change while the gateway runs; restart it for that`),
      );
    const changed = changedSettings(this.config, next);
    this.config = next;
    for (const listener of this.#listeners) listener(next);
    return changed;
  }

  /** Calls `listener` after every successful reload. */
  onReload(listener: (config: GatewayConfig) => void): void {
    this.#listeners.add(listener);
  }
}

/** Whether prompts and answers stand in the traces of calls that are recorded. */
export const tracesContent = ({ telemetry }: GatewayConfig): boolean =>
  telemetry.enabled && telemetry.traces.enabled && telemetry.content;
