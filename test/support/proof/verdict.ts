import { sum, type Balance, type BookedCall, type BookedCorrection } from '../books';
import type { ProofCard } from './bookkeeper';
import type { Received } from './caller';
import type { ProviderEntry } from './provider-book';
import { numberOf, type PlannedCall } from './scenario';
import type { Quotes } from './boundary';
import type { RateMinute } from './rate-watch';
import type { Watched } from './window-watch';

/** A call as its caller knows it. */
export interface MadeCall {
  readonly plan: PlannedCall;
  readonly tenant: string;
  readonly received: Received;
}

/** A budget window at the end. Amounts in nano-units. */
export interface FinalWindow extends Balance {
  readonly name: string;
  readonly limit: bigint | null;
  /** Spent although no lease covered it. */
  readonly uncovered: bigint;
}

/** All that is known when the calls have ended and everything has recovered. */
export interface Evidence {
  readonly calls: readonly MadeCall[];
  readonly provider: readonly ProviderEntry[];
  /** The calls' own rows, and what was booked beside them. */
  readonly ledger: readonly BookedCall[];
  readonly corrections: readonly BookedCorrection[];
  /** Ids of rows that are no longer what they were before the last corrections. */
  readonly altered: readonly string[];
  /** All rate cards, those for a time in the past included. */
  readonly cards: readonly ProofCard[];
  /** Ids of rows that somebody has corrected to what the provider charges. */
  readonly repaired: ReadonlySet<string>;
  readonly windows: readonly FinalWindow[];
  readonly watched: Watched;
  /** Budgets of which a gateway said meanwhile that they have counted something else than the ledger has. */
  readonly differing: readonly string[];
  readonly quotes: Quotes;
  /** Of the tenant that has a limit on calls a minute. */
  readonly rates: { readonly tenant: string; readonly perMinute: number; readonly minutes: readonly RateMinute[] };
  /** How processes ended; null for one that nobody has accounted for. */
  readonly processEnds: readonly (string | null)[];
  /** Journals that nobody has settled. */
  readonly journalsLeft: readonly string[];
}

/** Everything that breaks the promise, as a sentence each. An empty list is the proof. */
export function faultsOf(evidence: Evidence): string[] {
  const { watched, processEnds, journalsLeft } = evidence;
  return [
    ...watched.overdrawn.map((told) => `over the limit: ${told}`),
    ...watched.unbalanced.map((told) => `leases that do not add up: ${told}`),
    ...evidence.differing.map((told) => `a budget that differs from the ledger: ${told}`),
    ...evidence.windows.flatMap(faultsOfWindow),
    ...faultsOfRows(evidence),
    ...faultsOfCorrections(evidence),
    ...evidence.altered.map((id) => `row ${id} was changed`),
    ...faultsOfBill(evidence),
    ...faultsOfCalls(evidence),
    ...faultsOfRates(evidence),
    ...processEnds.filter((how) => how === null).map(() => 'a gateway process that nobody has accounted for'),
    ...journalsLeft.map((name) => `a journal that nobody has settled: ${name}`),
  ];
}

function faultsOfWindow({ name, limit, spent, ledger, leased, leases, uncovered }: FinalWindow): string[] {
  const faults: string[] = [];
  if (uncovered !== 0n) faults.push(`enforcement error: ${name} has ${uncovered} that no lease covered`);
  if (limit !== null && spent > limit) faults.push(`over the limit: ${name}: ${spent} spent, limit ${limit}`);
  if (spent !== ledger) faults.push(`${name} says ${spent} is spent, its ledger rows say ${ledger}`);
  if (leased !== 0n || leases !== 0n) faults.push(`${name} still has ${leased} leased (${leases} by process)`);
  return faults;
}

/** Rows that stand for nothing, twice for the same, or for another amount than their status promises. */
function faultsOfRows({ calls, provider, ledger, quotes, cards }: Evidence): string[] {
  const made = new Map(calls.map((call) => [call.plan.number, call]));
  const charged = new Map(provider.map((entry) => [entry.number, entry]));
  const seen = new Set<number>();
  return ledger.flatMap(({ id, tenant, model, status, rateCard, costNanos, providerRequestId }) => {
    const number = numberOf(model) ?? -1;
    const call = made.get(number);
    if (!call) return [`row ${id} of ${model} stands for no call`];
    if (seen.has(number)) return [`duplicate: a second row for ${model}`];
    seen.add(number);
    const faults: string[] = [];
    const entry = charged.get(number);
    const charge = chargeBy(
      cards.find(({ version }) => version === rateCard),
      entry,
    );
    const worst = quotes[call.plan.maxTokens];
    if (tenant !== call.tenant) faults.push(`${model} was called by ${call.tenant} and billed to ${tenant}`);
    if (!entry && status !== 'unconfirmed') faults.push(`${model} is ${status} and never reached the provider`);
    if (costNanos < 0n || costNanos > worst) faults.push(`${model} costs ${costNanos}, its worst case is ${worst}`);
    // Its hold may be below the worst case known here: near a boundary the gateway counts the prompt before it holds.
    if ((status === 'unconfirmed' || status === 'quarantined') && costNanos < charge)
      faults.push(`${model} is ${status} at ${costNanos}, the provider charges ${charge}`);
    // A caller who leaves at the very end may have seen the final usage of an answer the provider takes for aborted.
    if (status === 'actual' && entry && entry.outcome !== 'aborted' && costNanos !== charge)
      faults.push(`${model} is billed at ${costNanos}, the provider charges ${charge}`);
    if (providerRequestId && entry && providerRequestId !== entry.requestId)
      faults.push(`${model} names the provider's request ${providerRequestId}, which was ${entry.requestId}`);
    return faults;
  });
}

/** Corrections of nothing, of another tenant's call, or by more than was billed. */
function faultsOfCorrections(evidence: Evidence): string[] {
  const { ledger, corrections } = evidence;
  const rows = new Map(ledger.map((row) => [row.id, row]));
  const stray = corrections.flatMap(({ id, tenant, corrects }) => {
    const row = rows.get(corrects);
    if (!row) return [`correction ${id} stands for no row`];
    return row.tenant === tenant ? [] : [`${row.model} of ${row.tenant} is corrected on the bill of ${tenant}`];
  });
  const below = billsOf(evidence).flatMap(({ row: { model }, billed }) =>
    billed < 0n ? [`${model} is corrected to ${billed}`] : [],
  );
  return [...stray, ...below];
}

/** A call as it is billed in the end, and what the provider's count of it costs by the card that holds for its time. */
export interface Bill {
  readonly row: BookedCall;
  /** With all corrections. */
  readonly billed: bigint;
  readonly owed: bigint;
  /** Whether the provider has said what it charges, to the gateway or to whoever has corrected the row. */
  readonly isSure: boolean;
}

export function billsOf({ provider, ledger, corrections, cards, repaired }: Evidence): Bill[] {
  const charged = new Map(provider.map((entry) => [entry.number, entry]));
  const differences = new Map<string, bigint>();
  for (const { corrects, costNanos } of corrections)
    differences.set(corrects, (differences.get(corrects) ?? 0n) + costNanos);
  return ledger.map((row) => {
    const entry = charged.get(numberOf(row.model) ?? -1);
    return {
      row,
      billed: row.costNanos + (differences.get(row.id) ?? 0n),
      owed: chargeBy(cardAt(cards, row.at), entry),
      isSure: repaired.has(row.id) || (row.status === 'actual' && entry?.outcome !== 'aborted'),
    };
  });
}

/** Prices that were corrected for the past and are not on the bill, or rows that were corrected and are not. */
function faultsOfBill(evidence: Evidence): string[] {
  const bills = billsOf(evidence);
  const sure = bills.filter(({ isSure }) => isSure);
  const [billed, owed] = [sum(sure.map((bill) => bill.billed)), sum(sure.map((bill) => bill.owed))];
  return [
    ...(billed === owed ? [] : [`the bill does not recompute: ${billed}, by the cards that hold ${owed}`]),
    ...bills.flatMap(({ row: { model, status }, billed: bill, owed: due, isSure }) =>
      isSure
        ? bill === due
          ? []
          : [`${model} is billed at ${bill} in the end, by the card that holds it costs ${due}`]
        : status !== 'estimated' && bill < due
          ? [`${model} is ${status} at ${bill} in the end, by the card that holds it costs ${due}`]
          : [],
    ),
  ];
}

/** The one with the latest moment; of several with the same, the last. */
const cardAt = (cards: readonly ProofCard[], at: Date): ProofCard | undefined =>
  cards
    .filter(({ effectiveAt }) => effectiveAt <= at)
    .reduce<ProofCard | undefined>(
      (best, card) => (best && best.effectiveAt > card.effectiveAt ? best : card),
      undefined,
    );

/** What a card makes of the provider's count; at list prices where there is none. */
const chargeBy = (card: ProofCard | undefined, entry: ProviderEntry | undefined): bigint =>
  ((entry?.chargedNanos ?? 0n) * (card?.percent ?? 100n)) / 100n;

/** Calls that were served or charged and are not billed as they should be. */
function faultsOfCalls({ calls, provider, ledger }: Evidence): string[] {
  const rows = new Map(ledger.map((row) => [numberOf(row.model), row]));
  const unbilled = provider
    .filter(({ number }) => !rows.has(number))
    .map(({ number, chargedNanos, outcome }) => {
      const model = calls.find(({ plan }) => plan.number === number)?.plan.model;
      return `unbilled: the provider charges ${chargedNanos} for call ${number} of ${model}, ${outcome}`;
    });
  const served = calls.flatMap(({ plan: { model, number, honest }, received: { complete, requestId } }) => {
    if (!complete) return [];
    const row = rows.get(number);
    if (!row) return [`unbilled: ${model} was answered in full`];
    const faults: string[] = [];
    if (row.id !== requestId) faults.push(`${model} was told to be ${requestId} and is row ${row.id}`);
    if (honest && row.status !== 'actual')
      faults.push(`${model} was answered in full by an honest provider and is ${row.status}`);
    return faults;
  });
  return [...unbilled, ...served];
}

/** Minutes with more calls than the limit, or calls that no minute has. */
function faultsOfRates({ rates: { tenant, perMinute, minutes }, ledger }: Evidence): string[] {
  const billed = ledger.filter((row) => row.tenant === tenant).length;
  const taken = minutes.reduce((sum, minute) => sum + minute.taken, 0);
  return [
    ...minutes
      .filter(({ taken: calls }) => calls > perMinute)
      .map(
        ({ key, minute, taken: calls }) => `over the rate: ${key} has ${calls} calls at ${minute}, limit ${perMinute}`,
      ),
    ...(billed > taken ? [`over the rate: ${tenant} was let through ${billed} times, its minutes have ${taken}`] : []),
  ];
}

/**
 * What a run did not do, so that it proves nothing of it.
 * @param deeds how often processes were killed, stopped and so on
 */
export function gapsOf({ calls, ledger, watched }: Evidence, deeds: Readonly<Record<string, number>>): string[] {
  const refused = (code: string): number => calls.filter(({ received }) => received.refusal === code).length;
  const needed: Record<string, number> = {
    'a call answered in full': calls.filter(({ received }) => received.complete).length,
    'a budget that was used up': refused('budget_exceeded'),
    'a call that was one too many in its minute': refused('rate_limited'),
    'a look at the windows while something was held': watched.busySamples,
    'a row of a lying provider': ledger.filter(({ status }) => status === 'quarantined').length,
    ...deeds,
  };
  return Object.entries(needed)
    .filter(([, count]) => count === 0)
    .map(([what]) => `nothing was proved: the run had no ${what}`);
}
