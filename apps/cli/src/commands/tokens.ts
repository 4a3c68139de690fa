import type { Command } from 'commander';
import { given, type Cli } from '../cli';
import { path } from '../gateway-client';
import { allowedModels, models, moment, seconds, type ModelNames } from '../values';

interface Token {
  readonly id: string;
  readonly tenantId: string;
  readonly label: string;
  readonly role: string;
  readonly hint: string;
  readonly status: string;
  readonly allowedModels: readonly string[] | null;
  readonly expiresAt: string | null;
  readonly revokedAt: string | null;
}

type NewToken = Token & { readonly token: string };

interface CreateOptions {
  readonly label: string;
  readonly role?: string;
  readonly expires?: string;
  readonly models?: ModelNames;
}

export function registerTokens(program: Command, cli: Cli): void {
  const tokens = program.command('tokens').description("tenants' keys to the gateway");

  tokens
    .command('create <tenant>')
    .description('create a token and print it, this once, on standard output')
    .option('--label <text>', 'what it is for; it appears on bills', 'cli')
    .option('--role <role>', 'member, or owner, who may manage tokens and settings (default: member)')
    .option('--expires <when>', `after a time (90d), or ${AT} (default: never)`, (text) => moment(text))
    .option('--models <names>', 'models it may use, comma-separated, "claude-*" for a beginning', models)
    .action(async (tenant: string, { label, role, expires, models: names }: CreateOptions) => {
      const body = { label, ...given({ role, expiresAt: expires, allowedModels: allowedModels(names) }) };
      const created = await cli.gateway.post<NewToken>(path`/api/v1/admin/tenants/${tenant}/tokens`, body);
      hand(cli, created, `Token ${created.id} for ${tenant}.`);
    });

  tokens
    .command('list <tenant>')
    .description("list a tenant's tokens")
    .option('--status <status>', 'active, expired or revoked (default: all)')
    .action(async (tenant: string, { status }: { status?: string }) => {
      const all = await cli.gateway.all<Token>(path`/api/v1/admin/tenants/${tenant}/tokens`, { status });
      cli.out.rows(
        all,
        [
          { title: 'token', of: (t) => t.id },
          { title: 'label', of: (t) => t.label },
          { title: 'ends in', of: (t) => t.hint },
          { title: 'role', of: (t) => t.role },
          { title: 'status', of: (t) => t.status },
          { title: 'models', of: (t) => t.allowedModels?.join(', ') ?? 'all' },
          { title: 'expires', of: (t) => t.expiresAt },
        ],
        `There is no such token. Create one: openclawmu tokens create ${tenant}`,
      );
    });

  tokens
    .command('rotate <tenant> <token-id>')
    .description('print a new token with the same label and rights; the old one stops')
    .option('--grace <duration>', 'let the old one work on for a while, such as 1h, at most 7d', seconds)
    .option('--expires <when>', `when the new one stops: after a time, or ${AT} (default: as the old one)`, (text) =>
      moment(text),
    )
    .action(async (tenant: string, id: string, { grace, expires }: { grace?: number; expires?: string }) => {
      const body = given({ gracePeriodSeconds: grace, expiresAt: expires });
      const created = await cli.gateway.post<NewToken>(path`/api/v1/admin/tenants/${tenant}/tokens/${id}/rotate`, body);
      const old = grace === undefined ? 'has stopped' : 'stops after the grace period';
      hand(cli, created, `Token ${created.id} replaces ${id}, which ${old}.`);
    });

  tokens
    .command('revoke <token>')
    .description('stop a token everywhere within a second: a leaked tk_... or an id tok_...')
    .action(async (token: string) => {
      const revoked = await cli.gateway.post<Token & { changed: boolean }>('/api/v1/admin/tokens/revoke', { token });
      const how = revoked.changed ? 'is revoked; its open streams are cut' : 'had been revoked before';
      cli.out.done(revoked, `Token ${revoked.id} (${revoked.label}) of ${revoked.tenantId} ${how}.`);
    });
}

/** A day begins at midnight UTC, so a token that expires on a day does not work on it. */
const AT = 'at an instant, or when a day begins in UTC';

/** The token alone on standard output, so that `TOKEN=$(openclawmu tokens create finance)` works. */
function hand(cli: Cli, created: NewToken, remark: string): void {
  if (cli.out.json) cli.out.data(created);
  else {
    const { expiresAt } = created;
    const end = expiresAt === null ? 'never expires' : `expires at ${expiresAt}`;
    cli.out.remark(`${remark} It ${end}, and is shown this once; keep it now.`);
    cli.out.stdout.write(`${created.token}\n`);
  }
}
