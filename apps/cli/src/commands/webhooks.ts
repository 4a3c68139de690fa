import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Cli } from '../cli';
import { CliError, EXIT } from '../exit-code';
import { path } from '../gateway-client';

interface Webhook {
  readonly name: string;
  readonly url: string;
  readonly events: readonly string[];
  readonly tenants: readonly string[] | null;
  readonly internal: boolean;
  readonly secrets: number;
}

interface Delivery {
  readonly id: string;
  readonly endpoint: string;
  readonly event: string;
  readonly tenant: string | null;
  readonly state: string;
  readonly attempts: number;
  readonly createdAt: string;
  readonly dueAt: string | null;
  readonly lastError: string | null;
}

const WEBHOOKS = '/api/v1/admin/webhooks';
/** Longer than an attempt takes. */
const PATIENCE_MS = 25_000;
const LOOK_MS = 250;

export function registerWebhooks(program: Command, cli: Cli): void {
  const webhooks = program.command('webhooks').description('receivers of notices, declared in the configuration');

  webhooks
    .command('list')
    .description('list the endpoints; their secrets are not shown')
    .action(async () => {
      const { items } = await cli.gateway.get<{ items: Webhook[] }>(`${WEBHOOKS}/endpoints`);
      cli.out.rows(
        items,
        [
          { title: 'webhook', of: (w) => w.name },
          { title: 'address', of: (w) => w.url },
          { title: 'events', of: (w) => w.events.join(', ') },
          { title: 'tenants', of: (w) => w.tenants?.join(', ') ?? 'all' },
          { title: 'internal', of: (w) => (w.internal ? 'yes' : 'no') },
          { title: 'secrets', of: (w) => w.secrets, right: true },
        ],
        'There is no webhook. Add one under "webhooks" in openclawmu.yaml.',
      );
    });

  webhooks
    .command('deliveries')
    .description('list notices and what became of them, newest first')
    .option('--state <state>', 'pending, delivered or dead (default: all)')
    .option('--endpoint <name>', 'only to this webhook')
    .option('--tenant <id>', 'only about this tenant')
    .action(async (options: { state?: string; endpoint?: string; tenant?: string }) => {
      cli.out.rows(
        await cli.gateway.all<Delivery>(`${WEBHOOKS}/deliveries`, options),
        [
          { title: 'delivery', of: (d) => d.id },
          { title: 'webhook', of: (d) => d.endpoint },
          { title: 'event', of: (d) => d.event },
          { title: 'tenant', of: (d) => d.tenant },
          { title: 'state', of: (d) => d.state },
          { title: 'attempts', of: (d) => d.attempts, right: true },
          { title: 'since', of: (d) => d.createdAt },
          { title: 'next', of: (d) => d.dueAt },
          { title: 'because', of: (d) => d.lastError },
        ],
        'There is no such delivery.',
      );
    });

  webhooks
    .command('retry <delivery>')
    .description('send a notice again that is pending or dead, under the same id')
    .action(async (id: string) => {
      const delivery = await cli.gateway.post<Delivery>(path`/api/v1/admin/webhooks/deliveries/${id}/retry`);
      cli.out.done(delivery, `${id} is sent to ${delivery.endpoint} again.`);
    });

  webhooks
    .command('test <name>')
    .description('send a test notice, and wait for what becomes of it')
    .action(async (name: string) => {
      const { id } = await cli.gateway.post<Delivery>(path`/api/v1/admin/webhooks/endpoints/${name}/test`);
      const delivery = await firstOutcome(cli, id);
      if (delivery.state !== 'delivered')
        throw new CliError(
          EXIT.failed,
          `${name} has not taken the test notice: ${delivery.lastError ?? 'no gateway process has sent it yet'}.`,
        );
      cli.out.done(delivery, `${name} has taken the test notice ${id}.`);
    });
}

/** The delivery as it is after its first attempt, or when patience ends. */
async function firstOutcome(cli: Cli, id: string): Promise<Delivery> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const delivery = await cli.gateway.get<Delivery>(path`/api/v1/admin/webhooks/deliveries/${id}`);
    if (delivery.state !== 'pending' || delivery.lastError !== null || performance.now() > end) return delivery;
    await delay(LOOK_MS);
  }
}
