import { join } from 'node:path';
import type { ChangeFeed, Clock, Database, JobPrincipals, Log } from '@app/platform';
import type { Webhooks } from '@app/webhooks';
import { GatewayProcess } from './gateway-process.service';
import { Holds } from './holds.service';
import { Journal, type JournalOptions } from './journal';
import { Leases } from './leases.service';
import { Meters } from './meters';
import { BudgetNotices } from './notices/budget-notices.service';
import { OldWindows } from './old-windows.service';
import { Quota, type QuotaParts } from './quota.service';
import { RecoveredWindows } from './recovered-windows';
import { Recovery, type RecoveryPlace } from './recovery.service';
import { BudgetDirectory } from './scopes/budget-directory.service';
import { Settlements } from './settlements.service';
import { Calendar } from './windows';

export interface QuotaSurroundings {
  readonly database: Database;
  /** For the connection that proves this process to be alive. */
  readonly databaseUrl: string;
  readonly changes: ChangeFeed;
  readonly jobs: JobPrincipals;
  readonly clock: Clock;
  /** Who is told how budgets stand. */
  readonly webhooks: Pick<Webhooks, 'announce'>;
  readonly log: Log;
  /** Absolute path. */
  readonly dataDir: string;
  /** Whose days and months budgets follow. */
  readonly timezone: string;
  readonly journal: JournalOptions;
  /** How long a request waits for headroom that is held, in ms; read for each. */
  readonly waitMs: () => number;
}

export interface AssembledQuota extends QuotaParts {
  readonly quota: Quota;
  readonly meters: Meters;
  readonly place: RecoveryPlace;
}

/** Puts one process's parts together. A process of its own in every respect, so tests make several in one. */
export function assembleQuota(around: QuotaSurroundings): AssembledQuota {
  const { database, databaseUrl, changes, jobs, clock, log, dataDir } = around;
  const journals = join(dataDir, 'journal');
  const process = new GatewayProcess(database, jobs, log, around);
  const meters = new Meters(clock, new Calendar(around.timezone));
  const journal = new Journal(join(journals, process.id), around.journal, log);
  const notices = new BudgetNotices(around.webhooks, database, jobs, log);
  const budgets = new BudgetDirectory(database, jobs, log, meters);
  const settlements = new Settlements(database, jobs, process, journal, { log, notices, budgets });
  const leases = new Leases(database, jobs, process, { meters, budgets, waitMs: around.waitMs }, settlements);
  const holds = new Holds(process, leases, journal, settlements, clock);
  const place = { databaseUrl, dataDir, journals, processId: process.id };
  const windows = new RecoveredWindows(database, jobs, meters, budgets);
  const recovery = new Recovery(database, jobs, settlements, log, { place, windows });
  const oldWindows = new OldWindows(database, jobs, settlements, log);
  const parts = { process, journal, leases, settlements, holds, recovery, oldWindows };
  return { ...parts, meters, place, quota: new Quota(parts, database, jobs, changes, log) };
}
