import { dashed, type Tx } from '@app/platform';
import { refuseArchivedRows } from '../ledger/archives.queries';
import type { Period } from './period';
import { rolledUp, SOME, sumUp } from '../roll-up/lines';
import { parametersOf, pathTo, type Selection } from '../ledger/selection';
import { SAVINGS, SUMS, type Savings, type Sums } from './reading';
import { DETAIL, LABELS, type DetailRow } from './usage-record';

/** A line of a roll-up: rows that agree in all of these. */
export interface RollUpRow extends Sums, Savings {
  readonly tenant: string;
  readonly costCenter: string | null;
  readonly tokenId: string | null;
  readonly tokenLabel: string | null;
  /** `null` where a line adds all models up. */
  readonly model: string | null;
  readonly currency: string | null;
}

/** What one tenant owes for one model, by the columns that a charge is told by. */
export interface ChargeRow extends Sums, Savings {
  readonly tenant: string;
  readonly costCenter: string | null;
  readonly provider: string;
  readonly model: string;
  readonly rateCard: number;
  readonly serviceTier: string | null;
  readonly isCorrection: boolean;
  readonly currency: string | null;
}

/** Of which of the days a line is, from 0. */
export interface OfDay {
  readonly day: number;
}

/** The rows after one, oldest first. @throws CodedError `ledger_month_archived` */
export async function selectDetail(
  tx: Tx,
  selection: Selection,
  after: Pick<DetailRow, 'at' | 'id'> | undefined,
  limit: number,
): Promise<DetailRow[]> {
  // Rows after one are no earlier; said like this, months that are done with are not looked at.
  const rest = after ? { ...selection, from: after.at } : selection;
  const { selected, order } = pathTo(tx, selection);
  const rows = await tx.query<DetailRow>(
    // The ledger is cut first, so that a batch costs the same wherever in the report it lies.
    `SELECT ${DETAIL}
     FROM (SELECT * FROM ledger l
           WHERE ${selected} AND ($5::timestamptz IS NULL OR (l.at, l.id) > ($5, $6::uuid))
           ORDER BY ${order} LIMIT $7) l ${LABELS}
     ORDER BY l.at, l.id`,
    [...parametersOf(rest), after?.at.toISOString() ?? null, after ? dashed(after.id) : null, limit],
  );
  await refuseArchivedRows(tx, selection);
  return rows;
}

/** By day, tenant, cost centre and model. @param days those of the selection, one after the other */
export const selectByModel = async (
  tx: Tx,
  selection: Selection,
  days: readonly Period[],
): Promise<(RollUpRow & OfDay)[]> =>
  sumUp<RollUpRow & OfDay>(
    tx,
    await rolledUp(tx, selection, laterOf(days)),
    (lines, next) => `
      SELECT width_bucket(l.at, $${next}::timestamptz[]) - 1 AS day,
        l.tenant_id AS tenant, l.cost_center AS "costCenter", NULL AS "tokenId", NULL AS "tokenLabel", l.model, c.currency, ${SUMS}, ${SAVINGS}
      FROM ${lines} LEFT JOIN rate_cards c ON c.version = l.rate_card
      GROUP BY 1, l.tenant_id, l.cost_center, l.model, c.currency HAVING ${SOME}
      ORDER BY 1, l.tenant_id COLLATE "C", l.cost_center COLLATE "C" NULLS FIRST, l.model COLLATE "C", c.currency`,
    [beginningsOf(days)],
  );

/** By day, tenant, cost centre, provider, model, rate card and service tier; corrections apart. */
export const selectCharges = async (
  tx: Tx,
  selection: Selection,
  days: readonly Period[],
): Promise<(ChargeRow & OfDay)[]> =>
  sumUp<ChargeRow & OfDay>(
    tx,
    await rolledUp(tx, selection, laterOf(days)),
    (lines, next) => `
      SELECT width_bucket(l.at, $${next}::timestamptz[]) - 1 AS day, l.tenant_id AS tenant, l.cost_center AS "costCenter", l.provider, l.model, l.rate_card AS "rateCard",
        l.service_tier AS "serviceTier", l.is_correction AS "isCorrection", c.currency, ${SUMS}, ${SAVINGS}
      FROM ${lines} LEFT JOIN rate_cards c ON c.version = l.rate_card
      GROUP BY 1, l.tenant_id, l.cost_center, l.provider, l.model, l.rate_card, l.service_tier, l.is_correction, c.currency HAVING ${SOME}
      ORDER BY 1, l.tenant_id COLLATE "C", l.cost_center COLLATE "C" NULLS FIRST, l.provider COLLATE "C", l.model COLLATE "C",
        l.rate_card, l.service_tier COLLATE "C" NULLS FIRST, l.is_correction`,
    [beginningsOf(days)],
  );

/** By cost centre and tenant. */
export const selectByCostCenter = async (tx: Tx, selection: Selection): Promise<RollUpRow[]> =>
  sumUp<RollUpRow>(
    tx,
    await rolledUp(tx, selection),
    (lines) => `
      SELECT l.cost_center AS "costCenter", l.tenant_id AS tenant, NULL AS "tokenId", NULL AS "tokenLabel", NULL AS model, c.currency, ${SUMS}, ${SAVINGS}
      FROM ${lines} LEFT JOIN rate_cards c ON c.version = l.rate_card
      GROUP BY l.cost_center, l.tenant_id, c.currency HAVING ${SOME}
      ORDER BY l.cost_center COLLATE "C" NULLS FIRST, l.tenant_id COLLATE "C", c.currency`,
  );

/** By cost centre, token and model, of some tenants. */
export const selectByToken = async (tx: Tx, selection: Selection, tenants: readonly string[]): Promise<RollUpRow[]> =>
  sumUp<RollUpRow>(
    tx,
    await rolledUp(tx, selection),
    (lines, next) => `
      SELECT l.tenant_id AS tenant, l.cost_center AS "costCenter", l.token_id AS "tokenId", k.label AS "tokenLabel", l.model, c.currency, ${SUMS}, ${SAVINGS}
      FROM ${lines} ${LABELS}
      WHERE l.tenant_id = ANY ($${next})
      GROUP BY l.tenant_id, l.cost_center, l.token_id, k.label, l.model, c.currency HAVING ${SOME}
      ORDER BY l.tenant_id COLLATE "C", l.cost_center COLLATE "C" NULLS FIRST, l.token_id COLLATE "C", l.model COLLATE "C", c.currency`,
    [tenants],
  );

export async function selectTenants(tx: Tx, selection: Selection): Promise<string[]> {
  const rows = await sumUp<{ tenant: string }>(
    tx,
    await rolledUp(tx, selection),
    (lines) =>
      `SELECT l.tenant_id AS tenant FROM ${lines} GROUP BY l.tenant_id HAVING ${SOME} ORDER BY l.tenant_id COLLATE "C"`,
  );
  return rows.map(({ tenant }) => tenant);
}

const beginningsOf = (days: readonly Period[]): string[] => days.map(({ from }) => from.toISOString());

/** Where all but the first begin. */
const laterOf = (days: readonly Period[]): Date[] => days.slice(1).map(({ from }) => from);
