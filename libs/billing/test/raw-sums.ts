import type { Tx } from '@app/platform';
import { parametersOf, SELECTED, SUMS, type Selection } from '../src/reports/reading';
import type { ChargeRow, RollUpRow } from '../src/reports/report.queries';
import { LABELS } from '../src/reports/usage-record';
import type { UsageGroup, UsageKey } from '../src/reports/usage.queries';

/** The reports summed row by row, without the roll-up: what they must say. */
const LEDGER = `(SELECT *, 1 AS requests, status = 'correction' AS is_correction FROM ledger) l`;

export const rawByModel = (tx: Tx, selection: Selection): Promise<RollUpRow[]> =>
  tx.query<RollUpRow>(
    `SELECT l.tenant_id AS tenant, l.cost_center AS "costCenter", NULL AS "tokenId", NULL AS "tokenLabel", l.model, c.currency, ${SUMS}
     FROM ${LEDGER} LEFT JOIN rate_cards c ON c.version = l.rate_card
     WHERE ${SELECTED}
     GROUP BY l.tenant_id, l.cost_center, l.model, c.currency
     ORDER BY l.tenant_id COLLATE "C", l.cost_center COLLATE "C" NULLS FIRST, l.model COLLATE "C", c.currency`,
    parametersOf(selection),
  );

export const rawCharges = (tx: Tx, selection: Selection): Promise<ChargeRow[]> =>
  tx.query<ChargeRow>(
    `SELECT l.tenant_id AS tenant, l.cost_center AS "costCenter", l.provider, l.model, l.rate_card AS "rateCard",
       l.service_tier AS "serviceTier", l.status = 'correction' AS "isCorrection", c.currency, ${SUMS}
     FROM ${LEDGER} LEFT JOIN rate_cards c ON c.version = l.rate_card
     WHERE ${SELECTED}
     GROUP BY l.tenant_id, l.cost_center, l.provider, l.model, l.rate_card, l.service_tier, l.status = 'correction', c.currency
     ORDER BY l.tenant_id COLLATE "C", l.cost_center COLLATE "C" NULLS FIRST, l.provider COLLATE "C", l.model COLLATE "C",
       l.rate_card, l.service_tier COLLATE "C" NULLS FIRST, "isCorrection"`,
    parametersOf(selection),
  );

export const rawByCostCenter = (tx: Tx, selection: Selection): Promise<RollUpRow[]> =>
  tx.query<RollUpRow>(
    `SELECT l.cost_center AS "costCenter", l.tenant_id AS tenant, NULL AS "tokenId", NULL AS "tokenLabel", NULL AS model, c.currency, ${SUMS}
     FROM ${LEDGER} LEFT JOIN rate_cards c ON c.version = l.rate_card
     WHERE ${SELECTED}
     GROUP BY l.cost_center, l.tenant_id, c.currency
     ORDER BY l.cost_center COLLATE "C" NULLS FIRST, l.tenant_id COLLATE "C", c.currency`,
    parametersOf(selection),
  );

export const rawByToken = (tx: Tx, selection: Selection, tenants: readonly string[]): Promise<RollUpRow[]> =>
  tx.query<RollUpRow>(
    `SELECT l.tenant_id AS tenant, l.cost_center AS "costCenter", l.token_id AS "tokenId", k.label AS "tokenLabel", l.model, c.currency, ${SUMS}
     FROM ${LEDGER} ${LABELS}
     WHERE ${SELECTED} AND l.tenant_id = ANY ($5)
     GROUP BY l.tenant_id, l.cost_center, l.token_id, k.label, l.model, c.currency
     ORDER BY l.tenant_id COLLATE "C", l.cost_center COLLATE "C" NULLS FIRST, l.token_id COLLATE "C", l.model COLLATE "C", c.currency`,
    [...parametersOf(selection), tenants],
  );

export async function rawTenants(tx: Tx, selection: Selection): Promise<string[]> {
  const rows = await tx.query<{ tenant: string }>(
    `SELECT tenant FROM (SELECT DISTINCT l.tenant_id AS tenant FROM ledger l WHERE ${SELECTED}) t ORDER BY tenant COLLATE "C"`,
    parametersOf(selection),
  );
  return rows.map(({ tenant }) => tenant);
}

const KEYS: Readonly<Record<UsageKey, string>> = {
  tenant: 'l.tenant_id',
  model: 'l.model',
  token: 'l.token_id',
  day: "to_char(l.at AT TIME ZONE $5, 'YYYY-MM-DD')",
  subject: 'l.subject',
  costCenter: 'l.cost_center',
};

export const rawUsage = (tx: Tx, by: UsageKey, selection: Selection, timeZone: string): Promise<UsageGroup[]> =>
  tx.query<UsageGroup>(
    `SELECT grouping(l.key) = 1 AS total, l.key, count(*) OVER () - 1 AS groups, ${SUMS}
     FROM (SELECT ${KEYS[by]} AS key, l.* FROM ${LEDGER} WHERE ${SELECTED} AND $5::text IS NOT NULL) l
     GROUP BY GROUPING SETS ((l.key), ())
     ORDER BY 1 DESC, ${by === 'day' ? 'l.key' : '"costNanos" DESC, l.key COLLATE "C"'}`,
    [...parametersOf(selection), timeZone],
  );
