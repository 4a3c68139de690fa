import type { Command } from 'commander';
import { given, type Cli } from '../cli';
import { CliError, EXIT } from '../exit-code';
import { path } from '../gateway-client';
import { readText } from '../text-file';
import { fromYaml, toYaml } from '../yaml';

interface Policy {
  readonly maxOutputTokens: number | null;
  readonly requiredHeaders: readonly { readonly name: string }[];
  readonly rules: readonly { readonly name: string; readonly action: string; readonly on: string }[];
  readonly uninspectable: string;
  readonly updatedAt: string;
}

interface Tested {
  readonly refused: boolean;
  readonly findings: readonly { readonly rule: string; readonly action: string; readonly count: number }[];
  readonly text: string | null;
}

interface Whose {
  readonly organisation?: true;
}

type TestOptions = Whose & {
  readonly text?: string;
  readonly file?: string;
  readonly policy?: string;
  readonly answer?: true;
};

export function registerPolicy(program: Command, cli: Cli): void {
  const policy = program
    .command('policy')
    .description('what model calls have to obey: limit of output, headers, what must not pass');

  whose(policy.command('show [tenant]'))
    .description('show a policy, as a file that can be changed and set')
    .action(async (tenant: string | undefined, options: Whose, command: Command) => {
      const shown = await cli.gateway.get<Policy>(subjectOf(tenant, options, command).route);
      const { updatedAt: _, ...content } = shown;
      if (cli.out.json) cli.out.data(shown);
      else cli.out.stdout.write(toYaml(content));
    });

  whose(policy.command('set [tenant]'))
    .description('set a policy from a file, in place of the one before; in force everywhere within a second')
    .requiredOption('--file <file>', 'the policy in YAML')
    .action(async (tenant: string | undefined, { file, ...options }: Whose & { file: string }, command: Command) => {
      const { route, name } = subjectOf(tenant, options, command);
      const set = await cli.gateway.put<Policy>(route, policyIn(file));
      const rules = `${set.rules.length} rule${set.rules.length === 1 ? '' : 's'}`;
      const limit = set.maxOutputTokens === null ? '' : `, at most ${set.maxOutputTokens} output tokens`;
      const headers = set.requiredHeaders.map((header) => header.name).join(', ');
      cli.out.done(
        set,
        `The policy of ${name} has ${rules}${limit}${headers === '' ? '' : `, and requires ${headers}`}.`,
      );
    });

  whose(policy.command('remove [tenant]'))
    .description('remove a policy')
    .action(async (tenant: string | undefined, options: Whose, command: Command) => {
      const { route, name } = subjectOf(tenant, options, command);
      await cli.gateway.delete(route);
      cli.out.done({}, `The policy of ${name} is removed.`);
    });

  policy
    .command('test [tenant]')
    .description('see what rules find in a text, without a model; of a tenant with those for all tenants')
    .option('--text <text>', 'the text')
    .option('--file <file>', 'a file with the text')
    .option('--policy <file>', 'a policy that is not set yet, in YAML')
    .option('--answer', 'look at it as the answer of a model, not as a request')
    .action(async (tenant: string | undefined, options: TestOptions, command: Command) => {
      if ((options.text === undefined) === (options.file === undefined)) command.error('error: say --text or --file');
      const tested = await cli.gateway.post<Tested>('/api/v1/admin/policy/tests', {
        text: options.text ?? readText(options.file as string),
        on: options.answer ? 'answer' : 'request',
        ...given({ tenant, policy: options.policy === undefined ? undefined : policyIn(options.policy) }),
      });
      if (cli.out.json) return cli.out.data(tested);
      cli.out.rows(
        tested.findings,
        [
          { title: 'rule', of: (f) => f.rule },
          { title: 'action', of: (f) => f.action },
          { title: 'found', of: (f) => f.count, right: true },
        ],
        'No rule finds anything.',
      );
      if (tested.text !== null && tested.findings.length > 0) cli.out.stdout.write(`${tested.text}\n`);
      if (tested.refused) cli.out.remark('The call would be refused.');
    });
}

const whose = (command: Command): Command => command.option('--organisation', 'all tenants together');

function subjectOf(tenant: string | undefined, { organisation }: Whose, command: Command) {
  if ((tenant === undefined) !== (organisation === true)) command.error('error: name a tenant, or say --organisation');
  return tenant === undefined
    ? { route: '/api/v1/admin/policy', name: 'all tenants' }
    : { route: path`/api/v1/admin/tenants/${tenant}/policy`, name: tenant };
}

function policyIn(file: string): unknown {
  const text = readText(file);
  try {
    return fromYaml(text);
  } catch (error) {
    throw new CliError(EXIT.usage, `${file} is not YAML: ${(error as Error).message.split('\n')[0]}`);
  }
}
