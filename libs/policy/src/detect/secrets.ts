import type { Expression } from './expression-detector';

/** Not in the middle of a word, but right behind an escape of JSON (`\n`) or of a URL (`%3D`). */
const LEFT = '(?:(?<![A-Za-z0-9])|(?<=\\\\[bfnrt]|%[0-9A-Fa-f]{2}))';
const WORD = '[A-Za-z0-9_-]';
const RIGHT = '(?![A-Za-z0-9])';

/** Random rows of letters have capitals and digits; names joined by hyphens have neither. */
const random = (found: string): number => (/[0-9]/.test(found) && /[A-Z]/.test(found) ? found.length : 0);

/** What tokens of GitLab are for, as their prefixes say. */
const GITLAB = ['pat', 'oas', 'dt', 'rtr', 'rt', 'cbt', 'ptt', 'ft', 'imt', 'agent', 'wt', 'soat', 'ffct'];

/** @param sign what is looked for first: texts of which one is in it, or how it begins */
const key = (label: string, sign: readonly string[] | RegExp, body: string): Expression => ({
  label,
  ...(sign instanceof RegExp ? { beginning: sign } : { hints: sign }),
  source: `${LEFT}(?:${body})`,
});

/** Keys and passwords that their makers gave a form of their own. What has none, a random row of letters, no rule can find. */
export const SECRETS: Readonly<Record<string, Expression>> = {
  // RFC 7468, and OpenPGP's (RFC 9580, section 6.2); a block that is cut off ends with its last line, or where
  // another begins. Lines may be escaped.
  private_key: {
    label: 'private key',
    hints: ['-----BEGIN '],
    source:
      '-----BEGIN (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY(?: BLOCK)?-----' +
      '(?:(?:(?!-----BEGIN )[\\s\\S]){0,16384}?-----END (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY(?: BLOCK)?-----' +
      '|(?:(?:\\s|\\\\[rn]){1,4}[A-Za-z0-9+/=]{16,128}){0,200})',
  },
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids; the secret half has a
  // form only together with its name.
  aws_key: key(
    'AWS key',
    /A[KS]IA|aws_?[Ss]|[Ss]ecret|SECRET/,
    `(?:AKIA|ASIA)[A-Z2-7]{16}${RIGHT}` +
      `|(?:aws_?)?(?:secret_access_key|SecretAccessKey|SECRET_ACCESS_KEY)[\\\\"' ]{0,4}[:=][\\\\"' ]{0,4}[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/])`,
  ),
  // https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github#githubs-token-formats
  github_token: key(
    'GitHub token',
    ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_', 'github_pat_'],
    'gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{40,255}',
  ),
  // https://docs.gitlab.com/security/tokens/#token-prefixes
  gitlab_token: key(
    'GitLab token',
    GITLAB.map((kind) => `gl${kind}-`),
    `gl(?:${GITLAB.join('|')})-[A-Za-z0-9_.-]{20,300}`,
  ),
  // https://docs.slack.dev/authentication/tokens
  slack_token: key(
    'Slack token',
    ['xox', 'xapp-', 'hooks.slack.com'],
    'xox(?:[abeoprs]|e\\.xox[bp])-[A-Za-z0-9-]{10,400}|xapp-[A-Za-z0-9-]{10,400}' +
      '|https://hooks\\.slack\\.com/(?:services|workflows|triggers)/[A-Za-z0-9/_-]{20,200}',
  ),
  // Keys of users, projects and service accounts, as https://platform.openai.com/api-keys gives them out.
  openai_key: { ...key('OpenAI key', ['sk-'], `sk-(?!ant-)${WORD}{20,400}`), accept: random },
  // https://docs.claude.com/en/api/overview: keys of the API, of administrators and of OAuth.
  anthropic_key: key('Anthropic key', ['sk-ant-'], `sk-ant-${WORD}{20,400}`),
  // https://cloud.google.com/docs/authentication/api-keys, and OAuth client secrets
  google_key: key('Google key', ['AIza', 'GOCSPX-'], `AIza${WORD}{35}(?!${WORD})|GOCSPX-${WORD}{28}(?!${WORD})`),
  // https://docs.stripe.com/keys, https://docs.stripe.com/webhooks/signature
  stripe_key: key(
    'Stripe key',
    /[sr]k_(?:live|test)_|whsec_/,
    '(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,255}|whsec_[A-Za-z0-9+/=]{24,255}',
  ),
  // https://learn.microsoft.com/azure/storage/common/storage-account-keys-manage
  azure_key: {
    label: 'Azure key',
    hints: ['AccountKey=', 'SharedAccessKey='],
    source: '(?:Account|SharedAccess)Key=[A-Za-z0-9+/]{43,86}={1,2}',
  },
  // https://docs.npmjs.com/about-access-tokens, https://huggingface.co/docs/hub/security-tokens
  package_token: key(
    'registry token',
    ['npm_', 'hf_', 'pypi-'],
    'npm_[A-Za-z0-9]{36}|hf_[A-Za-z0-9]{34}|pypi-AgEI[A-Za-z0-9_-]{50,300}',
  ),
  // RFC 7519 and RFC 7515, section 3.1: header and claims are JSON objects, so both begin with {" in base64url.
  jwt: {
    label: 'JWT',
    hints: ['.eyJ'],
    head: `${LEFT}eyJ${WORD}{8,2048}`,
    source: `\\.eyJ${WORD}{8,8192}\\.${WORD}{10,2048}`,
  },
  // libs/auth: tokens of tenants, keys of administrators
  openclawmu_token: key('gateway token', ['k_'], `[ta]k_[a-z0-9][a-z0-9_-]{0,31}_[0-9a-f]{32}${RIGHT}`),
  // RFC 3986, section 3.2.1: user and password before the host.
  database_url: key(
    'database URL',
    /(?:postgres|mysql|mariadb|mongodb|redis|amqp|mssql|sqlserver|clickhouse)[a-z+]{0,4}:\/\//,
    '(?:postgres|postgresql|mysql|mariadb|mongodb|mongodb\\+srv|redis|rediss|amqp|amqps|mssql|sqlserver|clickhouse)' +
      `://[^\\s:/@"'<>]{0,128}:[^\\s/@"'<>]{1,256}@[^\\s"'<>()\`]{1,256}`,
  ),
};
