import { Option, type Command } from 'commander';
import type { Cli } from '../cli';
import { given } from '../cli';
import { CliError, EXIT } from '../exit-code';
import { path } from '../gateway-client';

export interface Delivery {
  readonly name: string;
  readonly report: string;
  readonly tenant: string | null;
  readonly each: boolean;
  readonly schedule: string;
  readonly place: string;
  readonly nextAt: string | null;
  readonly lastSuccessAt: string | null;
  readonly failing: number;
}

interface Run {
  readonly delivery: string;
  readonly slot: string;
  readonly period: string | null;
  readonly requestedBy: string | null;
  readonly state: 'waiting' | 'running' | 'retrying' | 'done' | 'failed';
  readonly attempts: number;
  readonly nextAttemptAt: string | null;
  readonly error: string | null;
  readonly files: number;
  readonly revised: number;
  readonly rows: number;
  readonly finishedAt: string | null;
}

export const DELIVERIES = '/api/v1/admin/deliveries';
const POLL_MS = 250;
/** Another process may have work of its own before it; the run goes on without anybody waiting for it. */
const PATIENCE_MS = 120_000;

/** Bills that are delivered to a folder or a bucket. */
export function registerDeliveries(program: Command, cli: Cli): void {
  const deliveries = program.command('deliveries').description('bills that are delivered by themselves');

  deliveries
    .command('list')
    .description('list the deliveries of the configuration and how they stand')
    .action(async () => {
      const { items } = await cli.gateway.get<{ items: Delivery[] }>(DELIVERIES);
      cli.out.rows(
        items,
        [
          { title: 'delivery', of: (d) => d.name },
          { title: 'report', of: (d) => d.report },
          { title: 'tenant', of: (d) => d.tenant ?? (d.each ? 'each' : 'all') },
          { title: 'schedule', of: (d) => d.schedule },
          { title: 'to', of: (d) => d.place },
          { title: 'next', of: (d) => d.nextAt },
          { title: 'last success', of: (d) => d.lastSuccessAt },
          { title: 'failing', of: (d) => d.failing, right: true },
        ],
        'No delivery is configured. The setting "deliveries" in openclawmu.yaml has them.',
      );
    });

  deliveries
    .command('runs [name]')
    .description('list runs, newest first, and why they failed')
    .addOption(
      new Option('--state <state>', 'only these').choices(['waiting', 'running', 'retrying', 'done', 'failed']),
    )
    .action(async (delivery: string | undefined, { state }: { state?: string }) => {
      cli.out.rows(
        await cli.gateway.all<Run>(`${DELIVERIES}/runs`, { delivery, state }),
        [
          { title: 'delivery', of: (r) => r.delivery },
          { title: 'due', of: (r) => r.slot },
          { title: 'period', of: (r) => r.period },
          { title: 'state', of: (r) => r.state },
          { title: 'files', of: (r) => r.files, right: true },
          { title: 'revised', of: (r) => r.revised, right: true },
          { title: 'lines', of: (r) => r.rows, right: true },
          { title: 'tries', of: (r) => r.attempts, right: true },
          { title: 'by', of: (r) => r.requestedBy ?? 'schedule' },
          { title: 'error', of: (r) => r.error },
        ],
        'There were no such runs.',
      );
    });

  deliveries
    .command('run <name>')
    .description('deliver now: what the schedule would deliver, or another period again')
    .option('--period <period>', 'a day such as 2026-11-24, or a month such as 2026-11')
    .action(async (name: string, options: { period?: string }) => {
      const asked = await cli.gateway.post<Run>(path`/api/v1/admin/deliveries/${name}/runs`, given(options));
      const run = await outcome(cli, asked);
      if (run.state !== 'done')
        throw new CliError(EXIT.failed, `${run.delivery} could not deliver: ${run.error ?? 'unknown'}`, run);
      cli.out.done(run, `${run.delivery} has delivered ${of(run)} (files: ${run.files}, lines: ${run.rows}).`);
    });
}

const of = ({ period }: Run): string => period ?? 'the statements that were new';

/** Waits until the run has ended, or has failed and will be tried again. */
async function outcome(cli: Cli, { delivery, slot }: Run): Promise<Run> {
  for (
    const end = Date.now() + PATIENCE_MS;
    Date.now() < end;
    await new Promise((later) => setTimeout(later, POLL_MS))
  ) {
    const runs = await cli.gateway.get<{ items: Run[] }>(`${DELIVERIES}/runs`, { delivery, limit: 200 });
    const run = runs.items.find((each) => each.slot === slot);
    if (run && run.state !== 'waiting' && run.state !== 'running') return run;
  }
  throw new CliError(
    EXIT.failed,
    `${delivery} is still at it. Look again with: openclawmu deliveries runs ${delivery}`,
  );
}
