import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Cli } from '../cli';
import { CliError, EXIT } from '../exit-code';
import { printable } from '../table';
import { instant, positiveInteger } from '../values';

interface AuditRecord {
  readonly seq: number;
  readonly time: string;
  readonly actor: { readonly kind: string; readonly id: string | null; readonly ip: string | null };
  readonly action: string;
  readonly tenant: string | null;
  readonly target: { readonly kind: string; readonly id: string };
  readonly outcome: string;
  /** Of what was refused: the error, and what rules of a policy found, by their names. */
  readonly after: { readonly code?: string; readonly found?: Readonly<Record<string, number>> } | null;
  readonly reason?: string;
}

interface Verdict {
  readonly ok: boolean;
  readonly records: number;
  readonly lastSeq: number;
  readonly lastHash: string;
  readonly checkpoints: number;
  readonly signatures?: string;
  readonly fault: { readonly message: string } | null;
}

interface TailOptions {
  readonly follow?: true;
  readonly lines: number;
  readonly tenant?: string;
  readonly action?: string;
  readonly actor?: string;
  readonly outcome?: string;
  readonly since?: string;
  readonly until?: string;
}

interface VerifyOptions {
  readonly file?: string[];
  readonly checkpoints?: string;
  readonly key?: string;
  readonly firstSeq?: number;
}

const AUDIT = '/api/v1/admin/audit';
const FOLLOW_MS = 1_000;
const MAX_PAGE = 200;

export function registerAudit(program: Command, cli: Cli): void {
  const audit = program.command('audit').description('who did what');

  audit
    .command('tail')
    .description('the newest records, oldest of them first; with --json one record a line')
    .option('-f, --follow', 'go on with new ones as they come')
    .option('-n, --lines <number>', 'how many', positiveInteger, 20)
    .option('--tenant <id>', 'only about this tenant')
    .option('--action <action>', 'only this action, such as token.revoked')
    .option('--actor <id>', 'only by this admin key, token or job')
    .option('--outcome <outcome>', 'only done, refused or failed')
    .option('--since <when>', 'from this instant, or day of UTC, on', instant)
    .option('--until <when>', 'before this instant, or day of UTC', instant)
    .action(async ({ follow, lines, ...filter }: TailOptions) => {
      const newest = await newestRecords(cli, lines, filter);
      for (const record of newest) print(cli, record);
      let afterSeq = newest.at(-1)?.seq ?? 0;
      while (follow) {
        await delay(FOLLOW_MS);
        for (const record of (await cli.gateway.all<AuditRecord>(AUDIT, { ...filter, afterSeq })).reverse()) {
          print(cli, record);
          afterSeq = record.seq;
        }
      }
    });

  audit
    .command('verify')
    .description(
      "check that nothing was edited, dropped, reordered or cut: the gateway's table, or exported files without it",
    )
    .option('--file <files...>', 'exported files (audit-*.jsonl), in any order')
    .option('--checkpoints <file>', 'signed checkpoints (checkpoints.jsonl)')
    .option('--key <file>', 'public key of the checkpoints (audit-ed25519.pub.pem)')
    .option('--first-seq <number>', 'first record of the files, when older ones lie elsewhere', positiveInteger)
    .action(async ({ file, checkpoints, key, firstSeq }: VerifyOptions, command: Command) => {
      if (file === undefined && (checkpoints ?? key ?? firstSeq) !== undefined)
        command.error('error: --checkpoints, --key and --first-seq go with --file');
      const verdict =
        file === undefined
          ? await cli.gateway.get<Verdict>(`${AUDIT}/verification`)
          : await offline().verifyFiles(file, checkpoints, key, firstSeq);
      report(cli, verdict);
    });
}

/** Loaded when needed: it brings the whole audit library, and API commands should start at once. */
const offline = (): typeof import('../verify-files') =>
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  require('../verify-files') as typeof import('../verify-files');

async function newestRecords(cli: Cli, count: number, filter: Omit<TailOptions, 'lines'>): Promise<AuditRecord[]> {
  const records: AuditRecord[] = [];
  for (let cursor: string | undefined; records.length < count;) {
    const limit = Math.min(MAX_PAGE, count - records.length);
    const page = await cli.gateway.get<{ items: AuditRecord[]; nextCursor: string | null }>(AUDIT, {
      ...filter,
      follow: undefined,
      limit,
      cursor,
    });
    records.push(...page.items);
    if (page.nextCursor === null) break;
    cursor = page.nextCursor;
  }
  return records.reverse();
}

function print(cli: Cli, record: AuditRecord): void {
  if (cli.out.json) {
    cli.out.stdout.write(`${JSON.stringify(record)}\n`);
    return;
  }
  const { seq, time, actor, action, tenant, target, outcome, reason } = record;
  const parts = [
    time,
    `#${seq}`,
    `${actor.kind} ${actor.id ?? actor.ip ?? '-'}`,
    action,
    `${target.kind} ${target.id}`,
    ...(tenant === null || tenant === target.id ? [] : [`of ${tenant}`]),
    ...(outcome === 'done' ? [] : [[outcome, ...whyNot(record)].join(' ')]),
    ...(reason === undefined ? [] : [`(${reason})`]),
  ];
  cli.out.stdout.write(`${parts.map(printable).join('  ')}\n`);
}

/** `permission_denied`; `prompt_refused by secrets` */
function whyNot({ outcome, after }: AuditRecord): string[] {
  if (outcome !== 'refused' || typeof after?.code !== 'string') return [];
  const rules = Object.keys(after.found ?? {});
  return [after.code, ...(rules.length === 0 ? [] : [`by ${rules.join(', ')}`])];
}

function report(cli: Cli, verdict: Verdict): void {
  cli.out.facts(verdict, [
    ['verdict', verdict.ok ? 'unaltered' : 'ALTERED'],
    ...(verdict.fault ? [['fault', verdict.fault.message] as const] : []),
    ['good records', verdict.records],
    ['last', verdict.records === 0 ? null : `#${verdict.lastSeq} ${verdict.lastHash}`],
    ['checkpoints', verdict.checkpoints],
    ...(verdict.signatures === undefined ? [] : [['signatures', verdict.signatures] as const]),
  ]);
  if (!verdict.ok) throw new CliError(EXIT.checkFailed, 'The audit log is not as it was written.', verdict.fault);
}
