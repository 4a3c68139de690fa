import { monthAfter, statementId } from './statement';
import type { StatementView } from './statement.dto';

/** No time zone is further from UTC, the hour by which a change of the zone may move a month included. */
const ZONE_MS = 15 * 3_600_000;

/**
 * What a manifest says that cannot be true: its name, its month and the time it reaches over tell the same thing, and a
 * statement goes on where the one before has ended.
 * @param given all statements that were given
 */
export function manifestFaults(manifest: StatementView, given: readonly StatementView[]): string[] {
  const { id, period, tenant, from, to, lateAfter } = manifest;
  const faults: string[] = [];
  if (id !== statementId(period, tenant)) {
    const whose = tenant === null ? 'the whole gateway' : `the tenant ${tenant}`;
    faults.push(`The manifest is called ${id}, and is of ${whose} in ${period}`);
  }
  if (!beginsWith(from, period) || !beginsWith(to, monthAfter(period)))
    faults.push(`The manifest is of ${period}, and reaches from ${from} to ${to}`);
  const before = given.find((each) => each.tenant === tenant && monthAfter(each.period) === period);
  if (before && (before.to !== from || before.asOf !== lateAfter))
    faults.push(
      `The manifest goes on from ${from}, with what was booked after ${lateAfter}, and that of ${before.id} ends at ` +
        `${before.to}, with what was booked up to ${before.asOf}`,
    );
  return faults;
}

/**
 * Why the file of a manifest is another's: a good statement in the place of the one that was asked about would pass for it.
 * Other names than those that downloads and deliveries give tell nothing, and neither does what somebody has put behind one.
 */
export function misnamed(fileName: string, { id, period }: StatementView): string | undefined {
  const [, mark = '', named = ''] = /^(_?)statement-(\d{4}-\d\d.*)$/.exec(fileName) ?? [];
  if (named === '' || named.startsWith(mark === '' ? id : period)) return undefined;
  return `The file is called ${fileName}, and has the manifest of ${id}`;
}

/**
 * The same of the folder that a delivery puts its files into: their names have no tenant. Folders of other names tell nothing.
 * @param folderName the innermost folder's
 */
export function misplaced(folderName: string, { id, period, tenant }: StatementView): string | undefined {
  const [, key, value] = /^(tenant_id|period)=(.+)$/.exec(folderName) ?? [];
  const isWhere = key === 'tenant_id' ? value === tenant : tenant === null && value === period;
  return key === undefined || isWhere ? undefined : `The folder is called ${folderName}, and has the manifest of ${id}`;
}

/** Whether an instant may be the beginning of a month in some time zone. */
const beginsWith = (instant: string, month: string): boolean =>
  Math.abs(Date.parse(instant) - Date.parse(`${month}-01T00:00:00Z`)) <= ZONE_MS;
