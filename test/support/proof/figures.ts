import { formatNanos } from '../../../libs/platform/src/money';
import { sum } from '../books';
import type { Proof } from './prove';
import { numberOf } from './scenario';
import { billsOf, type Evidence } from './verdict';

const STATUSES = ['actual', 'estimated', 'quarantined', 'unconfirmed'] as const;

/** What was seen, for people. Amounts in the currency of the rate card. */
export function figuresOf({ evidence, deeds, raises }: Proof): string {
  const { watched, windows, rates } = evidence;
  const lines = [
    ...callLines(evidence),
    ...providerLines(evidence),
    ...ledgerLines(evidence),
    ...Object.entries(deeds),
    ['budgets raised meanwhile', raises],
    ['looks at all windows', `${watched.samples}, ${watched.busySamples} while something was held`],
    ['  more than a limit spent and held', watched.overdrawn.length],
    ['enforcement error', String(windows.reduce((total, { uncovered }) => total + uncovered, 0n))],
    [
      `calls a minute of ${rates.tenant}, limit ${rates.perMinute}`,
      rates.minutes.map(({ taken }) => taken).join(', ') || 'none',
    ],
  ] as const;
  const width = Math.max(...lines.map(([name]) => name.length));
  const table = lines.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
  const budgets = windows.map(({ name, metric, limit, spent, leased, ledger: booked }) => {
    const amount = metric === 'cost' ? formatNanos : String;
    return (
      `${name}: limit ${limit === null ? 'none' : amount(limit)}, spent ${amount(spent)}, ` +
      `held ${amount(leased)}, ledger ${amount(booked)}`
    );
  });
  return [...table, '', ...budgets].join('\n');
}

function callLines({ calls }: Evidence): (readonly [string, number])[] {
  const withStatus = (status: number): number => calls.filter(({ received }) => received.status === status).length;
  const refused = (code: string): number => calls.filter(({ received }) => received.refusal === code).length;
  const complete = calls.filter(({ received }) => received.complete).length;
  const others = calls.filter(
    ({ received: { status, refusal } }) =>
      ![0, 200, 503].includes(status) && refusal !== 'budget_exceeded' && refusal !== 'rate_limited',
  );
  return [
    ['calls made', calls.length],
    ['  answered in full', complete],
    ['  refused, budget used up (429)', refused('budget_exceeded')],
    ['  refused, too many in a minute (429)', refused('rate_limited')],
    ['  refused, database away (503)', withStatus(503)],
    ["  answered with another error, mostly the provider's", others.length],
    ['  begun and cut or left', withStatus(200) - complete],
    ['  no answer: left by the caller, or the gateway killed', withStatus(0)],
  ];
}

function providerLines({ provider }: Evidence): (readonly [string, number | string])[] {
  return [
    ['calls the provider received', provider.length],
    ['  its own tally of them', formatNanos(sum(provider.map(({ chargedNanos }) => chargedNanos)))],
  ];
}

function ledgerLines(evidence: Evidence): (readonly [string, number | string])[] {
  const { ledger, corrections, provider } = evidence;
  const sure = billsOf(evidence).filter(({ isSure }) => isSure);
  const charged = new Map(provider.map(({ number, chargedNanos }) => [number, chargedNanos]));
  return [
    ['ledger rows', ledger.length],
    ['  duplicates', ledger.length - new Set(ledger.map(({ model }) => model)).size],
    ...STATUSES.map((status) => {
      const rows = ledger.filter((row) => row.status === status);
      const billed = formatNanos(sum(rows.map(({ costNanos }) => costNanos)));
      const tally = formatNanos(sum(rows.map(({ model }) => charged.get(numberOf(model) ?? -1) ?? 0n)));
      return [`  ${status}`, `${rows.length}, billed at ${billed}, in the provider's tally ${tally}`] as const;
    }),
    [
      '  corrections beside them',
      `${corrections.length}, by ${formatNanos(sum(corrections.map(({ costNanos }) => costNanos)))} together`,
    ],
    ['  billed with them', formatNanos(sum([...ledger, ...corrections].map(({ costNanos }) => costNanos)))],
    ['rows that are sure in the end', sure.length],
    ['  billed at', formatNanos(sum(sure.map(({ billed }) => billed)))],
    ["  the provider's tally by the cards that hold", formatNanos(sum(sure.map(({ owed }) => owed)))],
  ];
}
