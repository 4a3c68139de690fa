import type { Detector } from './detector';
import { builtIn, DETECTOR_NAMES, GROUPS } from './built-in';
import { PatternDetector } from './pattern-detector';
import { wordsDetector } from './words-detector';

const HEX = '0123456789abcdef0123456789abcdef';
const MIXED = 'aB3dEf6hIj9lMn2pQr5tUv8xYz1bCd4fGh7jKl0n';
const many = (length: number): string => MIXED.repeat(Math.ceil(length / MIXED.length)).slice(0, length);
const base64url = (text: string): string => Buffer.from(text).toString('base64url');
const BEGIN = ['-----BEGIN', 'PRIVATE KEY-----'] as const;
const END = ['-----END', 'PRIVATE KEY-----'] as const;
const LINES = `${many(64)}\n${many(64)}\n${many(20)}`;

/**
 * What each finds, and what looks like it and is none. Put together here, so that nobody's scanner takes this file for a leak.
 * Numbers are those that the standards and issuers print as examples.
 */
const SAMPLES: Readonly<Record<string, { readonly found: readonly string[]; readonly passed: readonly string[] }>> = {
  private_key: {
    found: [
      `${BEGIN.join(' ')}\n${LINES}\n${END.join(' ')}`,
      `${BEGIN.join(' RSA ')}\nProc-Type: 4,ENCRYPTED\n\n${LINES}\n${END.join(' RSA ')}`,
      `${BEGIN.join(' OPENSSH ')}\\n${many(64)}\\n${END.join(' OPENSSH ')}`,
      `-----BEGIN PGP ${'PRIVATE KEY'} BLOCK-----\n\n${LINES}\n-----END PGP ${'PRIVATE KEY'} BLOCK-----`,
      // Cut off in the middle.
      `${BEGIN.join(' EC ')}\n${many(64)}\n${many(64)}`,
    ],
    passed: ['-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----', '-----BEGIN PUBLIC KEY-----'],
  },
  aws_key: {
    found: ['AKIA' + 'IOSFODNN7EXAMPLE', 'ASIA' + 'Y34FZKBOKMUTVV7A', `aws_secret_access_key = ${many(40)}`],
    passed: ['AKIA' + 'iosfodnn7example', 'XAKIA' + 'IOSFODNN7EXAMPLE', `aws_secret_access_key = ${many(20)}`],
  },
  github_token: { found: [`ghp_${many(36)}`, `github_pat_${many(82)}`], passed: ['ghp_short', `xghp_${many(36)}`] },
  gitlab_token: {
    found: [`glpat-${many(20)}`, `glrt-${many(27)}`],
    passed: ['glpat-short', 'glance-at-this-long-word-here'],
  },
  slack_token: {
    found: [`xoxb-${'123456789012'}-${many(24)}`, `https://hooks.slack.com/services/T0000/B0000/${many(24)}`],
    passed: ['xoxb-', 'https://hooks.slack.com/docs'],
  },
  openai_key: {
    found: [`sk-proj-${many(60)}`, `sk-${many(48)}`],
    passed: ['sk-fading-circle-and-some-more-words', `task-${many(48)}`, `sk-ant-${many(48)}`],
  },
  anthropic_key: {
    found: [`sk-ant-api03-${many(80)}`, `sk-ant-oat01-${many(80)}`],
    passed: ['sk-ant-', `sk-${many(48)}`],
  },
  google_key: { found: [`AIza${many(35)}`, `GOCSPX-${many(28)}`], passed: [`AIza${many(20)}`, `AIza${many(60)}`] },
  stripe_key: {
    found: [`sk_live_${many(24)}`, `rk_test_${many(24)}`, `whsec_${many(32)}`],
    passed: ['pk_live_short', 'sk_live_'],
  },
  azure_key: { found: [`AccountKey=${many(86)}==`, `SharedAccessKey=${many(43)}=`], passed: ['AccountKey=abc'] },
  package_token: { found: [`npm_${many(36)}`, `hf_${many(34)}`], passed: ['npm_config_registry', 'hf_hub_download'] },
  jwt: {
    found: [`${base64url('{"alg":"HS256","typ":"JWT"}')}.${base64url('{"sub":"1234567890"}')}.${many(43)}`],
    passed: [`${base64url('{"alg":"HS256"}')}.${many(20)}`, 'eyJust.a.sentence'],
  },
  openclawmu_token: { found: [`tk_finance_${HEX}`, `ak_root_${HEX}`], passed: ['tk_finance_0123', `mask_a_${HEX}`] },
  database_url: {
    found: [
      'postgres://app:s3cret@db.internal:5432/app',
      'mongodb+srv://u:p%40ss@cluster0.example.net/x',
      'redis://:pw@localhost:6379',
    ],
    passed: ['postgres://db.internal/app', 'postgres://app@db.internal/app', 'https://example.com/a:b@c'],
  },
  email: {
    found: [
      'ann.lee+x@mail.example.co.uk',
      'müller@bücher.example',
      "o'neil@example.ie",
      '\\nann@example.com'.slice(2),
    ],
    passed: ['@everyone', 'ann@localhost', 'npm i @nestjs/core', 'a@b', 'git@github'],
  },
  phone: {
    found: ['+49 30 901820', '+1 (415) 555-2671', '+44 20 7946 0958', '+33-1-23-45-67-89', '+49 (0)30 90 18 20'],
    passed: ['+5', '2 + 3000000', '+1234567', 'a+49309018200', '+1234567890123456'],
  },
  payment_card: {
    found: ['4111 1111 1111 1111', '5555-5555-5555-4444', '378282246310005', '3530111333300000', '4222222222222'],
    passed: [
      '4111 1111 1111 1112',
      '1234 5678 9012 3452',
      '0.4111111111111111',
      '41111111111111110',
      '2026-11-26 04:11',
    ],
  },
  iban: {
    found: [
      'DE89370400440532013000',
      'GB82 WEST 1234 5698 7654 32',
      'FR14 2004 1010 0505 0001 3M02 606',
      'NO93 8601 1117 947',
    ],
    passed: [
      'DE89370400440532013001',
      'ZZ89370400440532013000',
      'DE8937040044053201300',
      'AB12 THIS IS NOT AN ACCOUNT',
    ],
  },
  us_ssn: {
    found: ['078-05-1120'],
    passed: ['000-12-3456', '666-12-3456', '912-12-3456', '078-00-1120', '078-05-0000', '1078-05-1120'],
  },
  uk_nino: { found: ['AB123456C', 'JG 10 37 59 A'], passed: ['BG123456C', 'DQ123456C', 'AB123456E', 'XAB123456C'] },
  fr_social_security: {
    found: ['2 55 08 14 168 025 38', '255081416802538', '1 84 12 2A 451 089 33'],
    passed: ['255081416802539', '355081416802538'],
  },
  de_tax_id: {
    found: ['86095742719', '47 036 892 816', '65929970489'],
    passed: ['86095742718', '12345678912', '01234567890'],
  },
  es_id: { found: ['12345678Z', 'X1234567L', '12345678-Z'], passed: ['12345678A', 'W1234567L'] },
  it_fiscal_code: { found: ['RSSMRA85T10A562S', 'MRTMTT91D08F205J'], passed: ['RSSMRA85T10A562T', 'ABCDEFGHIJKLMNOP'] },
};

/** What a detector finds in a text. */
function all(detectors: readonly Detector[], text: string): string[] {
  return detectors.flatMap((detector) => {
    const found: string[] = [];
    if (!detector.mayFind(text, 0)) return found;
    for (let match = detector.next(text, 0); match; match = detector.next(text, match.end))
      found.push(text.slice(match.start, match.end));
    return found;
  });
}

describe('built-in detectors', () => {
  it('all have samples', () => {
    expect(Object.keys(SAMPLES).sort()).toEqual(Object.values(GROUPS).flat().sort());
    expect(DETECTOR_NAMES).toHaveLength(Object.keys(SAMPLES).length + 2);
  });

  const cases = Object.entries(SAMPLES);
  it.each(cases.flatMap(([name, { found }]) => found.map((sample) => [name, sample] as const)))(
    '%s finds %j',
    (name, sample) => {
      const detectors = builtIn(name);
      for (const text of [
        sample,
        `(${sample})`,
        `x: "${sample}", y`,
        `a\n${sample}\nb`,
        `'${sample}'`,
        `é ${sample} é`,
      ])
        expect(all(detectors, text)).toEqual([sample]);
      expect(all(builtIn(name in GROUPS ? name : 'secrets'), 'plain words, 3 of them')).toEqual([]);
    },
  );

  it.each(cases.flatMap(([name, { passed }]) => passed.map((sample) => [name, sample] as const)))(
    '%s passes %j',
    (name, sample) => {
      for (const text of [sample, `(${sample})`, `see ${sample}, please`]) expect(all(builtIn(name), text)).toEqual([]);
    },
  );

  it('find a JWT as early as one may begin, behind what was found before', () => {
    const jwt = SAMPLES['jwt']?.found[0] as string;
    expect(all(builtIn('jwt'), `eyJust-eyJ_${jwt} x-${jwt}, ${jwt}.${jwt}`)).toEqual([
      `eyJust-eyJ_${jwt}`,
      jwt,
      jwt,
      jwt,
    ]);
  });

  it('open at every beginning of what they find', () => {
    for (const [name, { found }] of cases)
      for (const sample of found)
        for (let length = 1; length <= Math.min(sample.length, 300); length++) {
          const text = `see ${sample.slice(0, length)}`;
          expect(Math.min(...builtIn(name).map((detector) => detector.open(text, 0)))).toBeLessThanOrEqual(4);
        }
  });

  it('find nothing in ordinary text', () => {
    const text = `On 2026-11-26 at 04:11:05 the build 1795300000022 took 12,345.67 s; see https://example.com/a?b=c&d=e.
      const x = [1, 2, 3].map((n) => n * 1000000); // TODO +1 #4711, v1.2.3-beta.4, 550e8400-e29b-41d4-a716-446655440000
      Version 10.0.19045, $1,299.00, 50 %, ISBN 978-3-16-148410-0, id 0123456789, 192.168.0.1:8080, sha 9f86d081884c7d65`;
    expect(all([...builtIn('secrets'), ...builtIn('personal_data')], text)).toEqual([]);
  });
});

describe("an administrator's pattern", () => {
  it.each([
    ['\\w+', 'can match without end'],
    ['a{1,2000}', 'can match more than 1024'],
    ['a?', 'matches where nothing stands'],
    ['^a', 'have no place'],
    ['(?=a)b', 'nothing can be looked ahead'],
    ['(a', 'a ( without its )'],
    ['a)', 'a ) without its ('],
    ['[a', 'not allowed'],
    ['(a)\\1', 'not allowed'],
    ['(((a{1,9}){1,9}){1,9}', 'a ( without its )'],
    ['a{2,1}', 'm below n'],
    ['\\p{Nonsense}', 'is not a pattern'],
  ])('%s is not taken', (pattern, why) => {
    expect(() => new PatternDetector('x', pattern)).toThrow(why);
  });

  it.each([
    ['PRJ-\\d{4}', 'see PRJ-1234!', ['PRJ-1234']],
    ['(?i)secret (santa|plan)', 'Secret Plan and SECRET SANTA', ['Secret Plan', 'SECRET SANTA']],
    ['\\b[A-Z]{2}[0-9]{2}\\b', 'AB12 xAB12 AB123', ['AB12']],
    ['[[:upper:]]{3}\\p{Greek}', 'ABCδ ABC', ['ABCδ']],
    ['x\\.y|x\\[z\\]', 'x.y xay x[z]', ['x.y', 'x[z]']],
    ['😀.{1,2}', 'a😀😀b', ['😀😀b']],
  ])('%s finds in %j', (pattern, text, found) => {
    expect(all([new PatternDetector('x', pattern)], text)).toEqual(found);
  });

  it('takes no longer for a text on which backtracking would hang', () => {
    const detector = new PatternDetector('x', '(a{0,30}){0,30}b');
    expect(detector.next('a'.repeat(3_000), 0)).toBeNull();
  });
});

it('words stand by themselves, whatever their capitals', () => {
  const text = 'Brightwater, brightWATER. Brightwaters; project\n x; Ünder_x Ünder';
  expect(all([wordsDetector('x', ['brightwater', 'Project X', 'ünder'])], text)).toEqual([
    'Brightwater',
    'brightWATER',
    'project\n x',
    'Ünder',
  ]);
});
