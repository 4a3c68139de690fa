import { Client } from 'pg';
import type { TestDatabase } from './database';

/** A window of what is spent, as it stands. Amounts in nano-units; `limit` is null where nothing limits it. */
export interface BookedWindow {
  readonly id: bigint;
  readonly tenant: string;
  readonly period: 'day' | 'month';
  readonly limit: bigint | null;
  readonly spent: bigint;
  readonly leased: bigint;
}

export interface BookedCall {
  readonly id: string;
  /** When it was accepted. */
  readonly at: Date;
  readonly tenant: string;
  readonly model: string;
  readonly status: 'actual' | 'estimated' | 'unconfirmed' | 'quarantined';
  readonly outcome: string;
  readonly rateCard: number;
  readonly providerRequestId: string | null;
  readonly costNanos: bigint;
}

/** What was booked beside a call, because somebody knew better. */
export interface BookedCorrection {
  readonly id: string;
  readonly tenant: string;
  /** The id of the call's row. */
  readonly corrects: string;
  /** What the call costs more, or less. */
  readonly costNanos: bigint;
}

/** How a window's figures and what they are made of compare; every pair is equal when the books agree. */
export interface Balance {
  readonly window: bigint;
  readonly metric: 'cost' | 'tokens';
  readonly spent: bigint;
  readonly ledger: bigint;
  readonly leased: bigint;
  readonly leases: bigint;
}

/** SQL: what people call a window `w`. */
export const WINDOW_NAME = `concat_ws(' ', w.tenant_id, nullif(w.scope, 'tenant'), nullif(w.target, ''), w.metric, w.period)`;

/** What the database has booked, read as its superuser: past row-level security and past all code of ours. */
export class Books {
  private constructor(private readonly client: Client) {}

  static async open({ superuserUrl }: Pick<TestDatabase, 'superuserUrl'>): Promise<Books> {
    const client = new Client({ connectionString: superuserUrl, options: '-c search_path=openclawmu' });
    await client.connect();
    return new Books(client);
  }

  async windows(tenant: string): Promise<BookedWindow[]> {
    const rows = await this.query(
      "SELECT id, tenant_id, period, limit_amount, spent, leased FROM budget_windows WHERE tenant_id = $1 AND scope = 'tenant' AND metric = 'cost' ORDER BY id",
      [tenant],
    );
    return rows.map((row) => ({
      id: BigInt(row['id'] as string),
      tenant: row['tenant_id'] as string,
      period: row['period'] as BookedWindow['period'],
      limit: row['limit_amount'] === null ? null : BigInt(row['limit_amount'] as string),
      spent: BigInt(row['spent'] as string),
      leased: BigInt(row['leased'] as string),
    }));
  }

  /** In the order of acceptance, as they were booked first. */
  async calls(tenant: string): Promise<BookedCall[]> {
    const rows = await this.query(
      `SELECT replace(id::text, '-', '') AS id, at, tenant_id, model, status, outcome, rate_card, provider_request_id, cost_nanos
         FROM ledger WHERE tenant_id = $1 AND status <> 'correction' ORDER BY at, id`,
      [tenant],
    );
    return rows.map((row) => ({
      id: row['id'] as string,
      at: row['at'] as Date,
      tenant: row['tenant_id'] as string,
      model: row['model'] as string,
      status: row['status'] as BookedCall['status'],
      outcome: row['outcome'] as string,
      rateCard: row['rate_card'] as number,
      providerRequestId: row['provider_request_id'] as string | null,
      costNanos: BigInt(row['cost_nanos'] as string),
    }));
  }

  async corrections(tenant: string): Promise<BookedCorrection[]> {
    const rows = await this.query(
      `SELECT replace(id::text, '-', '') AS id, tenant_id, replace(corrects::text, '-', '') AS corrects, cost_nanos
         FROM ledger WHERE tenant_id = $1 AND status = 'correction' ORDER BY at, id`,
      [tenant],
    );
    return rows.map((row) => ({
      id: row['id'] as string,
      tenant: row['tenant_id'] as string,
      corrects: row['corrects'] as string,
      costNanos: BigInt(row['cost_nanos'] as string),
    }));
  }

  /** Every window, of whatever, beside the sums it must equal. */
  async balances(): Promise<Balance[]> {
    const rows = await this.query(
      `SELECT w.id, w.metric, w.spent, w.leased,
              (SELECT coalesce(sum(CASE w.metric WHEN 'cost' THEN l.cost_nanos ELSE l.input_tokens + l.output_tokens
                 + l.cache_read_tokens + l.cache_write_5m_tokens + l.cache_write_1h_tokens + l.reasoning_tokens
                 + l.audio_input_tokens + l.audio_output_tokens END), 0) FROM ledger l
                WHERE (w.tenant_id IS NULL OR l.tenant_id = w.tenant_id) AND l.at >= w.starts_at AND l.at < w.ends_at
                  AND CASE w.scope WHEN 'token' THEN w.target = coalesce((SELECT t.lineage FROM tokens t WHERE t.id = l.token_id), l.token_id)
                    WHEN 'user' THEN coalesce(l.subject, l.end_user) = w.target
                    WHEN 'model' THEN l.model = w.target OR w.target LIKE '%*' AND starts_with(l.model, rtrim(w.target, '*'))
                    ELSE true END) AS ledger,
              (SELECT coalesce(sum(h.amount), 0) FROM leases h WHERE h.window_id = w.id) AS leases
         FROM budget_windows w ORDER BY w.id`,
    );
    const amount = (value: unknown): bigint => BigInt(value as string);
    return rows.map(({ id, metric, spent, ledger, leased, leases }) => ({
      window: amount(id),
      metric: metric as Balance['metric'],
      spent: amount(spent),
      ledger: amount(ledger),
      leased: amount(leased),
      leases: amount(leases),
    }));
  }

  /** The audit log as the table has it, in order, each record as the line it is exported as. */
  async auditLines(): Promise<string[]> {
    return (await this.query('SELECT line FROM audit_records ORDER BY seq')).map(({ line }) => line as string);
  }

  async query(sql: string, params: readonly unknown[] = []): Promise<Record<string, unknown>[]> {
    return (await this.client.query<Record<string, unknown>>(sql, [...params])).rows;
  }

  async close(): Promise<void> {
    await this.client.end();
  }
}

export const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);
