/** The first admin key, shown before anything else can fail: its hash is in the configuration already, and the key nowhere. */
export const firstKeyNotice = (key: string): string => `
  Your first admin key. It is shown once; only its hash is kept (openclawmu.yaml):

    export OPENCLAWMU_ADMIN_KEY=${key}
`;

/** Where the command line tool looks for the gateway unless it is told otherwise. */
const TOOLS_DEFAULT = 'http://127.0.0.1:18789';

/** What a newcomer sees when the gateway is up. */
export function banner(url: string, isFirstStart: boolean, providers: readonly string[]): string {
  const lines = [
    '',
    `  OpenClawMU listens on ${url}`,
    `  API and Swagger UI    ${url}/docs`,
    `  Providers             ${providers.join(', ')}`,
  ];
  if (isFirstStart) {
    lines.push('', '  Try it, in another terminal, with the key above:', '');
    if (url !== TOOLS_DEFAULT) lines.push(`    export OPENCLAWMU_URL=${url}`);
    lines.push('    npx openclawmu tenants create finance --name "Finance"');
    lines.push('    npx openclawmu budgets set finance --monthly 25.00');
    lines.push('    TOKEN=$(npx openclawmu tokens create finance --label first-steps)');
    lines.push(
      `    curl -N ${url}/v1/chat/completions -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \\`,
    );
    lines.push(`      -d '{"model":"local/demo","stream":true,"messages":[{"role":"user","content":"Hello!"}]}'`);
    lines.push('    npx openclawmu usage');
    lines.push(
      '',
      '  local/demo is a built-in demonstration without a model behind it; set ANTHROPIC_API_KEY or OPENAI_API_KEY for real ones.',
    );
  }
  return `${lines.join('\n')}\n`;
}
