/** The page of all errors, from the catalogue the gateway answers with: who meets a code looks it up here. */
const HEAD = `# Errors

Every error the gateway answers with. This page is made from the catalogue by \`npm run generate\`.

The same error is told in three dialects: that of the OpenAI API under \`/v1\`, that of the Anthropic API under \`/v1/messages\`, and problem details
(RFC 9457) everywhere else. The code is \`error.gateway_code\` in the first two and \`code\` in the third; how each looks is shown
[for developers](developer.md#errors) and [for portals](portal.md#errors).

Errors that say "no" under *again* carry \`x-should-retry: false\`, which the official SDKs obey: the same request would fail again. Where only requests under way stand in its way, \`budget_exceeded\` comes with \`x-should-retry: true\` and \`retry-after: 1\`.
A provider's own refusal of a request (400, 404, 413, 422 and the like) is not listed here: it passes on in the provider's words.
`;

const FAMILIES = [
  ['The request', (status) => status >= 400 && status < 500 && ![401, 403, 404, 409, 429].includes(status)],
  ['Who is calling, and what they may do', (status) => status === 401 || status === 403],
  ['What is not there', (status) => status === 404],
  ['What stands in the way', (status) => status === 409],
  ['The budget', (status) => status === 429],
  ['The gateway and its providers', (status) => status >= 500],
];

const cell = (text) => text.replaceAll('|', '\\|');

function row([code, { status, title, remedy, openai, anthropic, retry }]) {
  const inOpenAi = openai.code ? `\`${openai.type}\`, \`${openai.code}\`` : `\`${openai.type}\``;
  const cells = [
    `\`${code}\``,
    status,
    `${title} ${remedy}`,
    inOpenAi,
    `\`${anthropic}\``,
    retry === false ? 'no' : 'yes',
  ];
  return `| ${cells.map((text) => cell(String(text))).join(' | ')} |\n`;
}

function section([title, belongs], errors) {
  const rows = Object.entries(errors)
    .filter(([, { status }]) => belongs(status))
    .sort(([, a], [, b]) => a.status - b.status);
  const head =
    '| code | status | what is wrong, and what to do | OpenAI type, code | Anthropic type | again |\n| --- | --- | --- | --- | --- | --- |\n';
  return `\n## ${title}\n\n${head}${rows.map(row).join('')}`;
}

/** @param errors code → entry, as in `libs/platform/src/errors/catalogue.ts` */
export const errorsPage = (errors) => HEAD + FAMILIES.map((family) => section(family, errors)).join('');
