import type { Command } from 'commander';
import type { Cli } from '../cli';
import { path } from '../gateway-client';
import type { Output } from '../output';

/** What a rate card for a time in the past makes of the calls that another had priced. */
export interface CardCorrections {
  readonly corrected: number;
  readonly unchanged: number;
  readonly unpriced: number;
  readonly stated: number;
  readonly currency: string;
  readonly tenants: readonly { readonly tenant: string; readonly rows: number; readonly difference: string }[];
}

interface CardCorrection extends CardCorrections {
  readonly version: number;
  readonly state: string;
  readonly reason: string;
  readonly from: string;
  readonly to: string | null;
}

/** What became of a card's corrections, below `rates`. */
export function registerCardCorrections(rates: Command, cli: Cli): void {
  rates
    .command('corrections <version>')
    .description('show what a rate card for a time in the past has corrected, by tenant')
    .action(async (version: string) => {
      const correction = await cli.gateway.get<CardCorrection>(path`/api/v1/admin/rate-cards/${version}/corrections`);
      if (cli.out.json) return cli.out.data(correction);
      showTenants(cli.out, correction);
      const { state, from, to } = correction;
      cli.out.remark(
        `Calls from ${from} to ${to ?? 'now'}: ${totals(correction)}; ${state === 'done' ? 'all are booked' : 'not all are booked yet'}.`,
      );
    });
}

/** What a dry run found. */
export function tellCorrections(out: Output, corrections: CardCorrections): void {
  if (out.json) return;
  showTenants(out, corrections);
  out.remark(`As a correction the card would concern calls: ${totals(corrections)}.`);
}

const showTenants = (out: Output, { tenants, currency }: CardCorrections): void =>
  out.rows(
    tenants,
    [
      { title: 'tenant', of: (t) => t.tenant },
      { title: 'calls', of: (t) => t.rows, right: true },
      { title: `difference ${currency}`, of: (t) => t.difference, right: true },
    ],
    'No call costs another amount by it.',
  );

const totals = ({ corrected, unchanged, unpriced, stated }: CardCorrections): string =>
  [
    `${corrected} corrected`,
    `${unchanged} cost the same`,
    ...(unpriced > 0 ? [`${unpriced} have no price on it and stay as they are`] : []),
    ...(stated > 0 ? [`${stated} have a cost that somebody stated`] : []),
  ].join(', ');
