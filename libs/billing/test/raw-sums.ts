import type { Tx } from '@app/platform';
import { apiOf } from '../src/ledger/api-codes';
import { parametersOf, SELECTED, type Selection } from '../src/ledger/selection';
import { SAVINGS, SUMS } from '../src/reports/reading';
import type { ChargeRow, RollUpRow } from '../src/reports/report.queries';
import { LABELS } from '../src/reports/usage-record';
import type { UsageGroup, UsageKey } from '../src/reports/usage.queries';
import type { Used, UsedBy, UsedByUsers } from '../src/roll-up/used.queries';

/** The reports summed row by row, without the roll-up: what they must say. */
const LEDGER = `(SELECT *, 1 AS requests, status = 'correction' AS is_correction, (saved_nanos IS NOT NULL)::int AS cached_requests FROM ledger) l`;

export const rawByModel = (tx: Tx, selection: Selection): Promise<RollUpRow[]> =>
  tx.query<RollUpRow>(
    `SELECT l.tenant_id AS tenant, l.cost_center AS "costCenter", NULL AS "tokenId", NULL AS "tokenLabel", l.model, c.currency, ${SUMS}, ${SAVINGS}
     FROM ${LEDGER} LEFT JOIN rate_cards c ON c.version = l.rate_card
     WHERE ${SELECTED}
     GROUP BY l.tenant_id, l.cost_center, l.model, c.currency
     ORDER BY l.tenant_id COLLATE "C", l.cost_center COLLATE "C" NULLS FIRST, l.model COLLATE "C", c.currency`,
    parametersOf(selection),
  );

export const rawCharges = (tx: Tx, selection: Selection): Promise<ChargeRow[]> =>
  tx.query<ChargeRow>(
    `SELECT l.tenant_id AS tenant, l.cost_center AS "costCenter", l.provider, l.model, l.rate_card AS "rateCard",
       l.service_tier AS "serviceTier", l.status = 'correction' AS "isCorrection", c.currency, ${SUMS}, ${SAVINGS}
     FROM ${LEDGER} LEFT JOIN rate_cards c ON c.version = l.rate_card
     WHERE ${SELECTED}
     GROUP BY l.tenant_id, l.cost_center, l.provider, l.model, l.rate_card, l.service_tier, l.status = 'correction', c.currency
     ORDER BY l.tenant_id COLLATE "C", l.cost_center COLLATE "C" NULLS FIRST, l.provider COLLATE "C", l.model COLLATE "C",
       l.rate_card, l.service_tier COLLATE "C" NULLS FIRST, "isCorrection"`,
    parametersOf(selection),
  );

export const rawByCostCenter = (tx: Tx, selection: Selection): Promise<RollUpRow[]> =>
  tx.query<RollUpRow>(
    `SELECT l.cost_center AS "costCenter", l.tenant_id AS tenant, NULL AS "tokenId", NULL AS "tokenLabel", NULL AS model, c.currency, ${SUMS}, ${SAVINGS}
     FROM ${LEDGER} LEFT JOIN rate_cards c ON c.version = l.rate_card
     WHERE ${SELECTED}
     GROUP BY l.cost_center, l.tenant_id, c.currency
     ORDER BY l.cost_center COLLATE "C" NULLS FIRST, l.tenant_id COLLATE "C", c.currency`,
    parametersOf(selection),
  );

export const rawByToken = (tx: Tx, selection: Selection, tenants: readonly string[]): Promise<RollUpRow[]> =>
  tx.query<RollUpRow>(
    `SELECT l.tenant_id AS tenant, l.cost_center AS "costCenter", l.token_id AS "tokenId", k.label AS "tokenLabel", l.model, c.currency, ${SUMS}, ${SAVINGS}
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
  endUser: 'l.end_user',
  costCenter: 'l.cost_center',
  api: apiOf('l.api'),
};

export const rawUsage = (tx: Tx, by: UsageKey, selection: Selection, timeZone: string): Promise<UsageGroup[]> =>
  tx.query<UsageGroup>(
    `SELECT grouping(l.key) = 1 AS total, l.key, count(*) OVER () - 1 AS groups, ${SUMS}, ${SAVINGS}
     FROM (SELECT ${KEYS[by]} AS key, l.* FROM ${LEDGER} WHERE ${SELECTED} AND $5::text IS NOT NULL) l
     GROUP BY GROUPING SETS ((l.key), ())
     ORDER BY 1 DESC, ${by === 'day' ? 'l.key' : '"costNanos" DESC, l.key COLLATE "C"'}`,
    [...parametersOf(selection), timeZone],
  );

/** What budgets begin with, of everything that is booked. */
export async function rawUsed(
  tx: Tx,
  { tenantId, model, lineage, user }: UsedBy,
  { from, to }: Pick<Selection, 'from' | 'to'>,
): Promise<Used | undefined> {
  const [used] = await tx.query<Used>(
    `SELECT coalesce(sum(cost_nanos), 0)::bigint AS "costNanos", coalesce(sum(input_tokens + output_tokens + cache_read_tokens
       + cache_write_5m_tokens + cache_write_1h_tokens + reasoning_tokens + audio_input_tokens + audio_output_tokens), 0)::bigint AS tokens
     FROM ledger WHERE at >= $1 AND at < $2 AND ($3::text IS NULL OR tenant_id = $3) AND ($4::text IS NULL OR model LIKE $4)
       AND ($5::text IS NULL OR $5 = coalesce((SELECT lineage FROM tokens WHERE id = token_id), token_id)) AND ($6::text IS NULL OR coalesce(subject, end_user) = $6)`,
    [from, to, tenantId ?? null, model?.replace('*', '%') ?? null, lineage ?? null, user ?? null],
  );
  return used;
}

/** Those of the tenant `alpha`. */
export async function rawUsedByUsers(
  tx: Tx,
  { from, to }: Pick<Selection, 'from' | 'to'>,
  after: Date | null,
): Promise<UsedByUsers['users']> {
  const rows = await tx.query<Used & { user: string | null }>(
    `SELECT coalesce(subject, end_user) AS "user", cost_nanos AS "costNanos", input_tokens + output_tokens + cache_read_tokens
       + cache_write_5m_tokens + cache_write_1h_tokens + reasoning_tokens + audio_input_tokens + audio_output_tokens AS tokens
     FROM ledger WHERE at >= $1 AND at < $2 AND tenant_id = 'alpha' AND ($3::timestamptz IS NULL OR booked_at > $3)`,
    [from, to, after],
  );
  const users = new Map<string, Used>();
  for (const { user, costNanos, tokens } of rows) {
    if (user === null) continue;
    const sum = users.get(user);
    users.set(user, { costNanos: costNanos + (sum?.costNanos ?? 0n), tokens: tokens + (sum?.tokens ?? 0n) });
  }
  return users;
}

export async function rawModelsInUse(tx: Tx, since: Date): Promise<string[]> {
  const rows = await tx.query<{ model: string }>(
    "SELECT DISTINCT model FROM ledger WHERE at >= date_bin('1 hour', $1::timestamptz, '2000-01-01Z') ORDER BY model",
    [since],
  );
  return rows.map(({ model }) => model);
}
