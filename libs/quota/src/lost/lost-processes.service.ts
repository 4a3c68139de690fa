import { readdir } from 'node:fs/promises';
import type { Audit } from '@app/audit';
import { CodedError, type Database, type Principal, type Tx } from '@app/platform';
import { formatAmount } from '../amounts';
import { returnAll } from '../leases.queries';
import { answers } from '../liveness-socket';
import { inPlaceOf } from '../process-lock';
import { DAMAGED, PROCESS_ID, type RecoveryPlace } from '../recovery.service';
import { feedIdOf } from '../scopes/scope';
import type { Settlements } from '../settlements.service';
import type { LostLeaseView, LostProcessView, ResolvedProcess, ResolveLostProcess } from './lost-process.dto';
import {
  endAsResolved,
  lockLeasesOf,
  type LostLeaseRow,
  type NothingLeased,
  unprovenLeases,
  writeOff,
} from './lost-processes.queries';

/**
 * Processes that are gone for good and whose usage cannot be known, because their journal is gone too or damaged. What they had
 * leased stays counted until a person says what becomes of it.
 */
export class LostProcesses {
  constructor(
    private readonly database: Database,
    private readonly audit: Audit,
    private readonly place: RecoveryPlace,
    private readonly settlements: Settlements,
  ) {}

  /**
   * Processes that have not ended, hold no lock and left no readable journal here: their machine is lost, or out of reach. A process
   * that is reconnecting may show for a moment.
   */
  async list(principal: Principal): Promise<LostProcessView[]> {
    const names = new Set(await readdir(this.place.journals).catch(() => []));
    const rows = await this.database.platform(principal, unprovenLeases);
    const lost = new Map<string, LostProcessView>();
    for (const row of rows) {
      const { process_id: id, host, started_at } = row;
      if (names.has(id)) continue;
      const journal = names.has(`${id}${DAMAGED}`) ? 'damaged' : 'missing';
      const entry = lost.get(id) ?? { id, host, startedAt: started_at.toISOString(), journal, leased: [] };
      entry.leased.push(...leasesOf([row]));
      lost.set(id, entry);
    }
    return [...lost.values()];
  }

  /**
   * Decides what becomes of what a lost process had leased. Should it come back, it takes no work, and what its journal knows
   * is booked once: out of what was written off here, as far as that goes.
   * @throws CodedError `lost_process_not_found`, `process_alive`
   */
  async resolve(principal: Principal, processId: string, decision: ResolveLostProcess): Promise<ResolvedProcess> {
    if (!PROCESS_ID.test(processId) || !(await this.isListed(principal, processId)))
      throw new CodedError('lost_process_not_found');
    if (await answers(this.place.dataDir, processId)) throw new CodedError('process_alive');
    let resolved: ResolvedProcess | undefined;
    // Neither the process itself nor an heir of its journal can come between.
    const isOurs = await inPlaceOf(this.place.databaseUrl, processId, async () => {
      resolved = await this.database.platform(principal, (tx) => this.decide(tx, processId, decision));
    });
    if (!isOurs || !resolved) throw new CodedError('process_alive');
    return resolved;
  }

  private async isListed(principal: Principal, processId: string): Promise<boolean> {
    return (await this.list(principal)).some(({ id }) => id === processId);
  }

  private async decide(tx: Tx, id: string, { how, reason }: ResolveLostProcess): Promise<ResolvedProcess> {
    const rows = await lockLeasesOf(tx, id);
    if (rows.length === 0) throw new CodedError('lost_process_not_found');
    if (how === 'spent') await this.spend(tx, id);
    else await returnAll(tx, id);
    await endAsResolved(tx, id);
    const leased = leasesOf(rows);
    const after = { how, leased };
    const target = { kind: 'process', id };
    await this.audit.record(tx, { action: 'lease.resolved', tenant: null, target, before: { leased }, after, reason });
    for (const id of new Set(leased.map(feedIdOf))) tx.announce('budget', id);
    return { id, how, leased };
  }

  private async spend(tx: Tx, id: string): Promise<void> {
    const { ledger, notices } = this.settlements.books;
    await notices.reached(tx, ledger, await writeOff(tx, id));
  }
}

const leasesOf = (rows: readonly (LostLeaseRow | NothingLeased)[]): LostLeaseView[] =>
  rows.flatMap((row) => (row.window_id === null ? [] : [leaseView(row)]));

const leaseView = ({
  tenant_id,
  metric,
  period,
  scope,
  target,
  starts_at,
  ends_at,
  amount,
}: LostLeaseRow): LostLeaseView => ({
  tenantId: tenant_id,
  metric,
  period,
  scope,
  target: target === '' ? null : target,
  startsAt: starts_at.toISOString(),
  endsAt: ends_at.toISOString(),
  amount: formatAmount(metric, amount),
});
