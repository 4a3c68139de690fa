import { dashed, type Tx } from '@app/platform';
import { parametersOf, SELECTED, SUMS, type Selection, type Sums } from './reading';
import { DETAIL, LABELS, type DetailRow } from './usage-record';

/** A line of a roll-up: rows that agree in all of these. */
export interface RollUpRow extends Sums {
  readonly tenant: string;
  readonly costCenter: string | null;
  readonly tokenId: string | null;
  readonly tokenLabel: string | null;
  /** `null` where a line adds all models up. */
  readonly model: string | null;
  readonly currency: string | null;
}

/** What one tenant owes for one model, by the columns that a charge is told by. */
export interface ChargeRow extends Sums {
  readonly tenant: string;
  readonly costCenter: string | null;
  readonly provider: string;
  readonly model: string;
  readonly rateCard: number;
  readonly serviceTier: string | null;
  readonly isCorrection: boolean;
  readonly currency: string | null;
}

/** The rows after one, oldest first. */
export const selectDetail = (
  tx: Tx,
  selection: Selection,
  after: Pick<DetailRow, 'at' | 'id'> | undefined,
  limit: number,
): Promise<DetailRow[]> =>
  tx.query<DetailRow>(
    // The ledger is cut first, so that a batch costs the same wherever in the report it lies.
    `SELECT ${DETAIL}
     FROM (SELECT * FROM ledger l
           WHERE ${SELECTED} AND ($5::timestamptz IS NULL OR (l.at, l.id) > ($5, $6::uuid))
           ORDER BY l.at, l.id LIMIT $7) l ${LABELS}
     ORDER BY l.at, l.id`,
    [...parametersOf(selection), after?.at.toISOString() ?? null, after ? dashed(after.id) : null, limit],
  );

/** By tenant, cost centre and model. */
export const selectByModel = (tx: Tx, selection: Selection): Promise<RollUpRow[]> =>
  tx.query<RollUpRow>(
    `SELECT l.tenant_id AS tenant, l.cost_center AS "costCenter", NULL AS "tokenId", NULL AS "tokenLabel", l.model, c.currency, ${SUMS}
     FROM ledger l LEFT JOIN rate_cards c ON c.version = l.rate_card
     WHERE ${SELECTED}
     GROUP BY l.tenant_id, l.cost_center, l.model, c.currency
     ORDER BY l.tenant_id COLLATE "C", l.cost_center COLLATE "C" NULLS FIRST, l.model COLLATE "C", c.currency`,
    parametersOf(selection),
  );

/** By tenant, cost centre, provider, model, rate card and service tier; corrections apart. */
export const selectCharges = (tx: Tx, selection: Selection): Promise<ChargeRow[]> =>
  tx.query<ChargeRow>(
    `SELECT l.tenant_id AS tenant, l.cost_center AS "costCenter", l.provider, l.model, l.rate_card AS "rateCard",
       l.service_tier AS "serviceTier", l.status = 'correction' AS "isCorrection", c.currency, ${SUMS}
     FROM ledger l LEFT JOIN rate_cards c ON c.version = l.rate_card
     WHERE ${SELECTED}
     GROUP BY l.tenant_id, l.cost_center, l.provider, l.model, l.rate_card, l.service_tier, l.status = 'correction', c.currency
     ORDER BY l.tenant_id COLLATE "C", l.cost_center COLLATE "C" NULLS FIRST, l.provider COLLATE "C", l.model COLLATE "C",
       l.rate_card, l.service_tier COLLATE "C" NULLS FIRST, "isCorrection"`,
    parametersOf(selection),
  );

/** By cost centre and tenant. */
export const selectByCostCenter = (tx: Tx, selection: Selection): Promise<RollUpRow[]> =>
  tx.query<RollUpRow>(
    `SELECT l.cost_center AS "costCenter", l.tenant_id AS tenant, NULL AS "tokenId", NULL AS "tokenLabel", NULL AS model, c.currency, ${SUMS}
     FROM ledger l LEFT JOIN rate_cards c ON c.version = l.rate_card
     WHERE ${SELECTED}
     GROUP BY l.cost_center, l.tenant_id, c.currency
     ORDER BY l.cost_center COLLATE "C" NULLS FIRST, l.tenant_id COLLATE "C", c.currency`,
    parametersOf(selection),
  );

/** By cost centre, token and model, of some tenants. */
export const selectByToken = (tx: Tx, selection: Selection, tenants: readonly string[]): Promise<RollUpRow[]> =>
  tx.query<RollUpRow>(
    `SELECT l.tenant_id AS tenant, l.cost_center AS "costCenter", l.token_id AS "tokenId", k.label AS "tokenLabel", l.model, c.currency, ${SUMS}
     FROM ledger l ${LABELS}
     WHERE ${SELECTED} AND l.tenant_id = ANY ($5)
     GROUP BY l.tenant_id, l.cost_center, l.token_id, k.label, l.model, c.currency
     ORDER BY l.tenant_id COLLATE "C", l.cost_center COLLATE "C" NULLS FIRST, l.token_id COLLATE "C", l.model COLLATE "C", c.currency`,
    [...parametersOf(selection), tenants],
  );

export async function selectTenants(tx: Tx, selection: Selection): Promise<string[]> {
  const rows = await tx.query<{ tenant: string }>(
    `SELECT tenant FROM (SELECT DISTINCT l.tenant_id AS tenant FROM ledger l WHERE ${SELECTED}) t ORDER BY tenant COLLATE "C"`,
    parametersOf(selection),
  );
  return rows.map(({ tenant }) => tenant);
}
