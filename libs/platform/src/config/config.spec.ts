import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Config } from './config';
import { ConfigError } from './load-config';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'config-'));
  file = join(folder, 'gateway.yaml');
});

afterEach(() => rmSync(folder, { recursive: true }));

const write = (yaml: string): void => writeFileSync(file, yaml);

function load(yaml: string, env: Record<string, string> = {}): Config {
  write(yaml);
  return Config.load(file, env);
}

const withKey = (apiKey: string): string =>
  `providers: { own: { dialect: openai, baseUrl: https://a.example, apiKey: ${apiKey} } }\n`;

describe('a reload', () => {
  it('puts the new file in force and tells every listener, each time', () => {
    const config = load(withKey('first'));
    const told: (string | undefined)[] = [];
    config.onReload((next) => told.push(next.providers.own?.apiKey?.reveal()));
    config.onReload(() => told.push(config.current.providers.own?.apiKey?.reveal()));

    write(withKey('second'));
    config.reload();
    write(withKey('third'));
    config.reload();
    expect(told).toEqual(['second', 'second', 'third', 'third']);
  });

  it('reads the environment again', () => {
    const env: Record<string, string> = { OPENAI_API_KEY: 'first' };
    const config = load('# nothing set yet\n', env);
    env.OPENAI_API_KEY = 'second';
    config.reload();
    expect(config.current.providers.openai?.apiKey?.reveal()).toBe('second');
  });

  it.each([
    ['not YAML', 'providers: [\n'],
    ['not valid', 'logging: { level: loud }\n'],
    ['weakening', 'budgets: { enforce: false }\n'],
    ['lacking a variable', 'logging: { level: "${LEVEL}" }\n'],
  ])('of a file that is %s keeps the old one and tells nobody', (_, yaml) => {
    const config = load('logging: { level: warn }\n');
    const before = config.current;
    const told = jest.fn();
    config.onReload(told);
    write(yaml);
    expect(() => config.reload()).toThrow(ConfigError);
    expect(config.current).toBe(before);
    expect(told).not.toHaveBeenCalled();
  });

  it('of a file that is gone keeps the old one', () => {
    const config = load('logging: { level: warn }\n');
    rmSync(file);
    expect(() => config.reload()).toThrow('cannot be read');
    expect(config.current.logging.level).toBe('warn');
  });

  it.each([
    ['dataDir', 'dataDir: /elsewhere'],
    ['timezone', 'timezone: Asia/Tokyo'],
    ['database', 'database: { poolSize: 11 }'],
    ['journal', 'journal: { sync: group }'],
    ['server.host', 'server: { host: 0.0.0.0 }'],
    ['server.port', 'server: { port: 80 }'],
    ['server.headerLimitBytes', 'server: { headerLimitBytes: 4096 }'],
    ['server.headersTimeoutMs', 'server: { headersTimeoutMs: 1 }'],
    ['server.trustedProxies', 'server: { trustedProxies: [10.0.0.1] }'],
  ])('that changes %s is refused as a whole', (setting, yaml) => {
    const config = load('# nothing set yet\n');
    write(`${yaml}\nlogging: { level: debug }\n`);
    expect(() => config.reload()).toThrow(`${setting} cannot change while the gateway runs; restart it for that`);
    expect(config.current.logging.level).toBe('info');
  });

  it('names every fixed setting that changed', () => {
    const config = load('# nothing set yet\n');
    write('timezone: Asia/Tokyo\nserver: { port: 80 }\n');
    expect(() => config.reload()).toThrow(
      expect.objectContaining({
        problems: [expect.stringMatching(/^timezone cannot/), expect.stringMatching(/^server\.port cannot/)],
      }),
    );
  });

  it('sees a changed password of the database behind its mask, and an unchanged one', () => {
    const config = load('database: { url: "postgres://u:old@h/d" }\n');
    expect(() => config.reload()).not.toThrow();
    write('database: { url: "postgres://u:new@h/d" }\n');
    expect(() => config.reload()).toThrow('database cannot change');
  });
});

it('prints neither its keys nor the environment it was read from', () => {
  const config = load(withKey('hunter2'), { OPENAI_API_KEY: 'hunter2', UNRELATED_PASSWORD: 'hunter2' });
  config.reload();
  const printed = [inspect(config, { depth: null, showHidden: true }), JSON.stringify(config)];
  expect(printed.join()).not.toContain('hunter2');
  expect(printed[0]).toContain('[secret]');
});

it('knows its file', () => {
  expect(load('# nothing set yet\n').path).toBe(file);
});
