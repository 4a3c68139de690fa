import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { ConfigError, loadConfig } from './load-config';
import type { GatewayConfig } from './schema';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'config-'));
  file = join(folder, 'gateway.yaml');
});

afterEach(() => rmSync(folder, { recursive: true }));

function load(yaml: string, env: Record<string, string> = {}): GatewayConfig {
  writeFileSync(file, yaml);
  return loadConfig(file, env);
}

function problemsOf(yaml: string, env: Record<string, string> = {}): readonly string[] {
  try {
    load(yaml, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  throw new Error('the configuration was taken');
}

const provider = (settings: string): string =>
  `providers:\n  own:\n    dialect: openai\n${settings.replace(/^/gm, '    ')}\n`;

describe('a configuration that is taken', () => {
  it.each(['\n', '# nothing set yet\n', '---\n'])('may set nothing (%j): there are defaults for all', (yaml) => {
    const config = load(yaml);
    expect(config.server).toMatchObject({ host: '127.0.0.1', port: 18_789 });
    expect(config).toMatchObject({ timezone: 'UTC', adminKeys: [], providers: {}, logging: { level: 'info' } });
    expect(config.dataDir).toBe(join(folder, 'data'));
  });

  it('may have sections in which everything is commented out', () => {
    expect(load('server:\n#  port: 1\nproviders:\nadminKeys:\n').server.port).toBe(18_789);
  });

  it('takes a number from a variable', () => {
    expect(load('server:\n  port: ${PORT}\n', { PORT: '4711' }).server.port).toBe(4711);
    expect(problemsOf('server:\n  port: ${PORT}\n', { PORT: '47 11' })).toHaveLength(1);
  });

  it('may start with a byte order mark', () => {
    expect(load('\uFEFFtimezone: Europe/Berlin\n').timezone).toBe('Europe/Berlin');
  });

  it('reads keys, providers and their timeouts', () => {
    const hash = `sha256:${'0a'.repeat(32)}`;
    const config = load(
      `adminKeys:\n  - { name: ops, hash: "${hash}" }\n  - { name: cfo, hash: "${hash}", role: finance }\n` +
        provider('baseUrl: https://llm.example/base//\napiKey: k\ntimeouts: { idleMs: 5 }'),
    );
    expect(config.adminKeys).toEqual([
      { name: 'ops', hash, role: 'admin' },
      { name: 'cfo', hash, role: 'finance' },
    ]);
    expect(config.providers.own).toMatchObject({
      dialect: 'openai',
      baseUrl: 'https://llm.example/base',
      internal: false,
      timeouts: { connectMs: 10_000, firstByteMs: 300_000, idleMs: 5 },
    });
    expect(config.providers.own?.apiKey?.reveal()).toBe('k');
  });

  it('knows who serves responses itself', () => {
    const of = (settings: string): boolean | undefined => load(provider(settings)).providers.own?.responses;
    expect(of('baseUrl: https://api.openai.com')).toBe(true);
    expect(of('baseUrl: https://a.example')).toBe(false);
    expect(of('baseUrl: https://a.example\nresponses: true')).toBe(true);
    expect(of('baseUrl: https://a.example\nazure: {}')).toBe(true);
    expect(of('baseUrl: https://a.example\nazure: { apiVersion: 2024-10-21 }')).toBe(false);
  });

  it('takes the data directory from where the file lies, not from where the gateway was started', () => {
    expect(load('dataDir: ../elsewhere\n').dataDir).toBe(join(folder, '..', 'elsewhere'));
    expect(load('dataDir: /var/lib/gateway\n').dataDir).toBe('/var/lib/gateway');
  });
});

describe('webhooks', () => {
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
  const webhook = (settings: string): string => `webhooks:\n  - { name: alerts, secret: "${secret}", ${settings} }\n`;

  it('have defaults, and one secret or several', () => {
    const [one] = load(webhook('url: "https://hooks.example/x?a=b"')).webhooks;
    expect(one).toMatchObject({ name: 'alerts', url: 'https://hooks.example/x?a=b', events: ['*'], internal: false });
    expect(one?.tenants).toBeUndefined();
    expect(one?.secrets.map((each) => each.reveal())).toEqual([secret]);
    const several = `webhooks:\n  - { name: alerts, url: "https://hooks.example", secret: ["${secret}", "${secret}"] }\n`;
    expect(load(several).webhooks[0]?.secrets).toHaveLength(2);
  });

  it('at an address of this machine are internal', () => {
    expect(load(webhook('url: "http://127.0.0.1:8080"')).webhooks[0]?.internal).toBe(true);
  });

  it.each([
    ['url: "http://hooks.example"', 'notices would be readable by anybody on the way'],
    ['url: "https://me:pw@hooks.example"', 'must hold no credentials'],
    ['url: "ftp://hooks.example"', 'webhooks.0.url'],
    ['url: "https://hooks.example", events: [Budget]', 'is not an event such as "budget.threshold"'],
    ['url: "https://hooks.example", tenants: []', 'webhooks.0.tenants'],
    [
      'url: "https://hooks.example" }\n  - { name: alerts, url: "https://hooks.example", secret: whsec_short',
      'must be "whsec_"',
    ],
  ])('with %s are refused', (settings, problem) => {
    expect(problemsOf(webhook(settings)).join()).toContain(problem);
  });

  it('of the same name are refused', () => {
    const twice =
      webhook('url: "https://hooks.example"') + webhook('url: "https://hooks.example"').replace(/^.*\n/, '');
    expect(problemsOf(twice).join()).toContain('two webhooks have the same name');
  });
});

describe('the environment', () => {
  it('wins over the file', () => {
    const config = load('server: { host: 10.0.0.1, port: 1 }\ntimezone: UTC\ndatabase: { url: postgres://file }\n', {
      OPENCLAWMU_HOST: '0.0.0.0',
      OPENCLAWMU_PORT: '8080',
      OPENCLAWMU_TIMEZONE: 'Asia/Tokyo',
      OPENCLAWMU_LOG_LEVEL: 'warn',
      OPENCLAWMU_DATA_DIR: '/data',
      DATABASE_URL: 'postgres://env',
      DATABASE_MIGRATION_URL: 'postgres://owner',
    });
    expect(config).toMatchObject({
      server: { host: '0.0.0.0', port: 8080 },
      timezone: 'Asia/Tokyo',
      logging: { level: 'warn' },
      dataDir: '/data',
    });
    expect(config.database.url?.reveal()).toBe('postgres://env');
    expect(config.database.migrationUrl?.reveal()).toBe('postgres://owner');
  });

  it('does not win with an empty value', () => {
    expect(load('timezone: Asia/Tokyo\n', { OPENCLAWMU_TIMEZONE: '' }).timezone).toBe('Asia/Tokyo');
  });

  it('is named when its value is wrong', () => {
    expect(problemsOf('server:\n  port: 1\n', { OPENCLAWMU_PORT: 'http' })).toEqual([
      expect.stringMatching(/^server\.port \(from OPENCLAWMU_PORT\): .*number/),
    ]);
    expect(problemsOf('# nothing set yet\n', { OPENCLAWMU_PORT: ' ' })).toHaveLength(1);
    expect(problemsOf('# nothing set yet\n', { OPENCLAWMU_PORT: '70000' })).toHaveLength(1);
  });

  it('must not hold a variable of ours that nobody reads', () => {
    expect(problemsOf('# nothing set yet\n', { OPENCLAWMU_PROT: '80' })).toEqual([
      expect.stringMatching(/^environment variable OPENCLAWMU_PROT is not known; known are .*OPENCLAWMU_PORT/),
    ]);
  });

  it('may hold what the command line tool and anybody else reads', () => {
    const env = { OPENCLAWMU_URL: 'x', OPENCLAWMU_TOKEN: 'x', OPENCLAWMU_ADMIN_KEY: 'x', OPENCLAWMU_CONFIG: 'x' };
    expect(() => load('# nothing set yet\n', { ...env, HOME: '/root', PATH: '/bin' })).not.toThrow();
  });

  it.each(['database: 5\n', 'database: words\n', 'database: [1]\n'])(
    'meets a file whose section is no map (%j) with a problem, not a crash',
    (yaml) => {
      const url = 'postgres://u:hunter2@h/d';
      expect(problemsOf(yaml, { DATABASE_URL: url })).toEqual([
        expect.stringMatching(/^database \(line 1\): .*expected object/),
      ]);
    },
  );
});

describe('providers of the environment', () => {
  it('are there as soon as their well-known key is', () => {
    const { providers } = load('# nothing set yet\n', { ANTHROPIC_API_KEY: 'a-key', OPENAI_API_KEY: 'o-key' });
    expect(providers.anthropic).toMatchObject({ dialect: 'anthropic', baseUrl: 'https://api.anthropic.com' });
    expect(providers.openai).toMatchObject({ dialect: 'openai', baseUrl: 'https://api.openai.com' });
    expect([providers.anthropic?.apiKey?.reveal(), providers.openai?.apiKey?.reveal()]).toEqual(['a-key', 'o-key']);
  });

  it('join those of the file and give way to one of the same name', () => {
    const yaml = 'providers:\n  openai: { dialect: openai, baseUrl: https://proxy.example }\n';
    const { providers } = load(yaml, { OPENAI_API_KEY: 'o-key', ANTHROPIC_API_KEY: 'a-key' });
    expect(Object.keys(providers).sort()).toEqual(['anthropic', 'openai']);
    expect(providers.openai?.baseUrl).toBe('https://proxy.example');
    expect(providers.openai?.apiKey).toBeUndefined();
  });

  it('join an empty list and leave a wrong one to be reported', () => {
    expect(Object.keys(load('providers:\n', { OPENAI_API_KEY: 'k' }).providers)).toEqual(['openai']);
    expect(problemsOf('providers: all\n', { OPENAI_API_KEY: 'k' })).toEqual([
      expect.stringMatching(/^providers \(line 1\): /),
    ]);
  });
});

describe('${VARIABLES}', () => {
  it('stand anywhere in a value, several times', () => {
    const config = load(provider('baseUrl: https://${HOST}/${PATH_1}\napiKey: "${KEY}"'), {
      HOST: 'llm.example',
      PATH_1: 'v1',
      KEY: 'a$b${c}: "#',
    });
    expect(config.providers.own?.baseUrl).toBe('https://llm.example/v1');
    expect(config.providers.own?.apiKey?.reveal()).toBe('a$b${c}: "#');
  });

  it('cannot change the structure of the file', () => {
    const { logging, dataDir } = load('dataDir: ${DIR}\n', { DIR: '/a\nlogging: {level: debug}' });
    expect(dataDir).toBe('/a\nlogging: {level: debug}');
    expect(logging.level).toBe('info');
  });

  it('must be set, each one, and are named with their line', () => {
    expect(problemsOf('timezone: UTC\ndataDir: ${NO_DIR}/x${EMPTY}\n', { EMPTY: '' })).toEqual([
      '${NO_DIR} is used (line 2), but the environment variable NO_DIR is not set',
      '${EMPTY} is used (line 2), but the environment variable EMPTY is not set',
    ]);
  });

  it('are no variables in names, comments and other notations', () => {
    expect(load('# ${NOT_SET}\ndataDir: /$HOME/$(ls)/${1}\n').dataDir).toBe('/$HOME/$(ls)/${1}');
    expect(problemsOf('${NOT_SET}: 1\n')).toEqual(['${NOT_SET} (line 1): is not a known setting']);
  });
});

describe('all faults', () => {
  it('are reported together, each with its line', () => {
    const yaml = [
      'timezone: Mars/Olympus',
      'server:',
      '  port: many',
      '  prot: 1',
      'adminKeys:',
      '  - name: ops',
      `    hash: sha256:${'0'.repeat(64)}`,
      '  - name: Ops Team',
      '    hash: short',
      'providers:',
      '  own:',
      '    dialect: cobol',
      '  Bad Name: { dialect: openai, baseUrl: https://a.example }',
      'dataDir: /data/${UNSET}',
    ].join('\n');
    const problems = problemsOf(yaml, { OPENCLAWMU_TYPO: '1' });
    const expected = [
      /^timezone \(line 1\): is not a time zone name/,
      /^server\.port \(line 3\): .*expected number/,
      /^server\.prot \(line 4\): is not a known setting$/,
      /^adminKeys\.1\.name \(line 8\): use 1 to 32 of/,
      /^adminKeys\.1\.hash \(line 9\): must be "sha256:"/,
      /^providers\.own\.dialect \(line 12\): .*"openai"\|"anthropic"/,
      /^providers\.own\.baseUrl \(line 11\): /,
      /^providers\.Bad Name \(line 13\): use 1 to 32 of/,
      /^\$\{UNSET\} is used \(line 14\)/,
      /^environment variable OPENCLAWMU_TYPO/,
    ];
    for (const fault of expected) expect(problems).toContainEqual(expect.stringMatching(fault));
    expect(problems).toHaveLength(expected.length);
  });

  it('are in the error’s own text, under the file’s name', () => {
    expect(() => load('a: 1\nb: 2\n')).toThrow(
      `The configuration is not valid (${file}):\n  - a (line 1): is not a known setting\n  - b (line 2): is not a known setting`,
    );
  });

  it('are found in a file that repeats itself with aliases', () => {
    const yaml = `providers:\n  a: &a { dialect: openai, baseUrl: https://a.example, colour: 3 }\n  b: *a\n`;
    expect(problemsOf(yaml)).toEqual([
      'providers.a.colour (line 2): is not a known setting',
      expect.stringMatching(/^providers\.b\.colour \(line 3\)/),
    ]);
  });
});

it('of variables that Kubernetes makes of a service say how to be rid of them', () => {
  const problems = problemsOf('# nothing set yet\n', {
    OPENCLAWMU_SERVICE_HOST: '10.0.0.1',
    OPENCLAWMU_PORT: 'tcp://10.0.0.1:18789',
    OPENCLAWMU_PORT_18789_TCP_ADDR: '10.0.0.1',
  });
  expect(problems).toHaveLength(3);
  expect(problems.filter((problem) => problem.includes('enableServiceLinks: false'))).toHaveLength(2);
});

describe('the file itself', () => {
  it.each(['- a\n- b\n', 'words\n', '42\n'])('must be a map, not %j', (yaml) => {
    expect(problemsOf(yaml)).toEqual(['the file must hold settings as "name: value"']);
  });

  it('must exist', () => {
    expect(() => loadConfig(join(folder, 'none.yaml'), {})).toThrow(/none\.yaml\):\n {2}- cannot be read: ENOENT/);
  });

  it('must not be without a byte, as one is that is being written', () => {
    expect(problemsOf('')).toEqual([expect.stringMatching(/^is empty: it may be being written/)]);
  });

  it.each([
    ['a name given twice', 'timezone: UTC\ntimezone: Asia/Tokyo\n', /^Map keys must be unique at line 2, column 1$/],
    ['a tab', 'server:\n\tport: 1\n', /^Tabs are not allowed as indentation at line 2/],
    ['two documents', 'timezone: UTC\n---\ntimezone: UTC\n', /^Source contains multiple documents.* at line 2/],
  ])('must be YAML without %s', (_, yaml, fault) => {
    expect(problemsOf(yaml)).toContainEqual(expect.stringMatching(fault));
  });

  it('must not blow up when aliases multiply', () => {
    const level = (name: string, of: string): string => `${name}: &${name} [${Array(10).fill(of).join(', ')}]\n`;
    const yaml = level('a', 'x') + level('b', '*a') + level('c', '*b') + level('d', '*c');
    expect(problemsOf(yaml)).toEqual([expect.stringContaining('alias')]);
  });

  it('cannot reach the prototype of anything', () => {
    expect(problemsOf('__proto__: { polluted: 1 }\nconstructor: 1\n')).toEqual([
      '__proto__ (line 1): is not a known setting',
      'constructor (line 2): is not a known setting',
    ]);
    expect({}).not.toHaveProperty('polluted');
  });
});

describe('what would weaken enforcement', () => {
  it.each([
    ['budgets: { enforce: false }', 'budgets are always enforced'],
    ['budgets: { enforce: true }', 'budgets are always enforced'],
    ['audit: { enabled: false }', 'the audit log cannot be turned off'],
    ['access: { allowAnonymous: true }', 'every call needs a key'],
    ['auth: { enabled: false }', 'every call needs a key'],
    ['rates: { allowUnpriced: true }', 'never free'],
    ['database: { rowLevelSecurity: false }', 'isolation is enforced by the database'],
    ['sandbox: { enabled: false }', 'code never runs outside a sandbox'],
  ])('is refused with the reason: %s', (yaml, reason) => {
    const problems = problemsOf(`${yaml}\n`);
    expect(problems).toEqual([expect.stringContaining('(line 1): would weaken enforcement and is refused: ')]);
    expect(problems[0]).toContain(reason);
  });
});

test.each(['db.example.internal', 'mysql://u:hunter2@db/x', 'u:hunter2@db/x'])(
  'an address of the database that is none is refused, and not told: %s',
  (url) => {
    const problems = problemsOf('timezone: UTC\n', { DATABASE_URL: url });
    expect(problems).toEqual([
      'database.url (from DATABASE_URL): must begin with postgresql://, as in postgresql://user:password@host/database',
    ]);
  },
);

describe('a provider’s address', () => {
  it.each([
    'http://127.0.0.1:8000',
    'http://localhost:11434/v1',
    'http://[::1]:80',
    'http://127.9.9.9',
    'HTTPS://x.example',
  ])('may be %s', (url) => {
    expect(load(provider(`baseUrl: "${url}"`)).providers.own?.baseUrl).toBe(url);
  });

  it.each([
    'http://api.example',
    'http://127.0.0.1.evil.example',
    'http://localhost.evil.example',
    'http://10.0.0.7:8000',
    'http://evil.example/127.0.0.1',
  ])('is refused without encryption: %s', (url) => {
    expect(problemsOf(provider(`baseUrl: "${url}"\napiKey: k`))).toEqual([
      expect.stringMatching(/^providers\.own\.baseUrl \(line 4\): plain http would send the provider key unencrypted/),
    ]);
  });

  it('may be plain when the admin says that the server is internal', () => {
    expect(load(provider('baseUrl: http://10.0.0.7:8000\ninternal: true')).providers.own?.internal).toBe(true);
  });

  it.each(['not a url', 'ftp://a.example', 'http://', '//a.example', 'file:///etc/passwd'])('cannot be %s', (url) => {
    expect(problemsOf(provider(`baseUrl: "${url}"`))).toContainEqual(
      expect.stringMatching(/^providers\.own\.baseUrl \(line 4\): Invalid URL/),
    );
  });

  it.each(['https://user:hunter2@a.example', 'https://a.example/?key=hunter2', 'https://a.example/#hunter2'])(
    'holds no secret: %s',
    (url) => {
      const problems = problemsOf(provider(`baseUrl: "${url}"`));
      expect(problems).toEqual([expect.stringContaining('the key goes into apiKey')]);
      expect(problems.join()).not.toContain('hunter2');
    },
  );
});

describe('secrets', () => {
  const SECRET = 'hunter2-never-shown';

  it('are masked in every way a configuration can be printed', () => {
    const config = load(provider('baseUrl: https://a.example\napiKey: ${KEY}'), {
      KEY: SECRET,
      ANTHROPIC_API_KEY: `sk-ant-${SECRET}`,
      DATABASE_URL: `postgres://u:${SECRET}@h/d`,
      DATABASE_MIGRATION_URL: `postgres://o:${SECRET}@h/d`,
    });
    expect(config.providers.own?.apiKey?.reveal()).toBe(SECRET);
    const printed = [JSON.stringify(config), inspect(config, { depth: null, showHidden: true })];
    expect(printed.join()).not.toContain('hunter2');
    expect(printed[0]).toContain('"apiKey":"[secret]"');
  });

  it('are not repeated when an admin key stands where its hash belongs', () => {
    const key = `ak_ops_${'0123456789abcdef'.repeat(2)}`;
    const problems = problemsOf(`adminKeys:\n  - name: ops\n    hash: ${key}\n`);
    expect(problems).toEqual([
      expect.stringMatching(
        /^adminKeys\.0\.hash \(line 3\): must be "sha256:" and 64 hex digits, never the key itself/,
      ),
    ]);
    expect(problems.join()).not.toContain('0123456789abcdef');
  });

  it.each([
    ['an alias', provider(`apiKey: *${SECRET}`)],
    ['a block header', provider(`apiKey: |${SECRET}\n  x`)],
    ['a reserved character', provider(`apiKey: @${SECRET}`)],
    ['trailing words', provider(`apiKey: "a" ${SECRET}`)],
    ['an open quote', provider(`apiKey: "${SECRET}`)],
    ['an escape', provider(`apiKey: "\\q${SECRET}"`)],
    ['an anchor', provider(`apiKey: &${SECRET}`)],
    ['a number’s place', `server: { port: ${SECRET} }`],
    ['a choice’s place', `logging: { level: ${SECRET} }`],
    ['a section’s place', `database: ${SECRET}`],
    ['a time zone’s place', `timezone: ${SECRET}`],
    ['an address’s place', provider(`baseUrl: ${SECRET}`)],
    ['a hash’s place', `adminKeys: [{ name: ops, hash: ${SECRET} }]`],
    ['a list’s place', `adminKeys: ${SECRET}`],
    ['a map’s place', `providers: { own: ${SECRET} }`],
    ['the file’s place', SECRET],
  ])('are not quoted when they break the file by %s', (_, yaml) => {
    expect(problemsOf(yaml).join()).not.toContain('hunter2');
  });

  it('cannot be empty', () => {
    expect(problemsOf(provider('baseUrl: https://a.example\napiKey: ""'))).toEqual([
      expect.stringMatching(/^providers\.own\.apiKey \(line 5\)/),
    ]);
  });
});

describe('admin keys', () => {
  const hash = `sha256:${'0'.repeat(64)}`;

  it('have names of their own', () => {
    expect(problemsOf(`adminKeys:\n  - { name: a, hash: "${hash}" }\n  - { name: a, hash: "${hash}" }\n`)).toEqual([
      'adminKeys (line 1): two keys have the same name',
    ]);
  });

  it.each(['root', '""', 'owner'])('cannot have the role %s', (role) => {
    expect(problemsOf(`adminKeys:\n  - { name: a, hash: "${hash}", role: ${role} }\n`)).toEqual([
      expect.stringMatching(/^adminKeys\.0\.role \(line 2\): .*"admin"\|"finance"\|"security"/),
    ]);
  });
});
