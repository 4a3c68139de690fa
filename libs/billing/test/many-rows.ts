/** A company's calls: 50 departments with four tokens each, two models a token, most of the calls by few of them. */
export interface ManyRows {
  readonly from: Date;
  readonly to: Date;
  readonly rows: number;
}

/**
 * SQL that books rows evenly over a period as a gateway would have, each a second or two after its call and with text as
 * long as real ids are. Made inside PostgreSQL, because ten million rows are not to be sent there.
 */
export const insertManyRows = ({ from, to, rows }: ManyRows): string => `
  INSERT INTO ledger (id, at, booked_at, tenant_id, cost_center, token_id, subject, model, provider, provider_request_id,
    rate_card, formula, status, outcome, input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens,
    cache_write_1h_tokens, reasoning_tokens, cost_nanos, end_user, service_tier, api)
  SELECT (lpad(to_hex(floor(extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(digest, 1, 3) || '8' || substr(digest, 4, 15))::uuid,
    at, date_trunc('milliseconds', at + interval '1 second' * (1 + random())),
    'department-' || lpad(tenant::text, 2, '0'), 'CC-' || 1000 + tenant % 20, 'tok_' || md5(tenant || '/' || token),
    CASE WHEN token = 0 THEN NULL ELSE 'user-' || (random() * 40)::int || '@example.com' END,
    (ARRAY['claude-sonnet-4-5', 'claude-haiku-4-5', 'gpt-4o', 'gpt-5-mini'])[model],
    CASE WHEN model <= 2 THEN 'anthropic' ELSE 'openai' END,
    CASE WHEN model <= 2 THEN 'req_' || substr(digest, 1, 24) ELSE 'chatcmpl-' || substr(digest, 1, 29) END,
    1, 1, CASE WHEN n % 50 = 0 THEN 'estimated' ELSE 'actual' END, CASE WHEN n % 50 = 0 THEN 'aborted' ELSE 'completed' END,
    (random() * 8000)::bigint, (random() * 900)::bigint, (random() * 20000)::bigint, (random() * 1000)::bigint, 0,
    (random() * 300)::bigint, (random() * 90000000)::bigint,
    CASE WHEN n % 4 = 0 THEN 'customer-' || n % 1000 END, CASE WHEN token = 3 THEN 'flex' END,
    (ARRAY['m', 'm', 'c', 'r'])[model]::"char"
  FROM (
    SELECT *, 1 + (tenant + token + is_other::int) % 4 AS model FROM (SELECT n, '${from.toISOString()}'::timestamptz + ('${to.toISOString()}'::timestamptz - '${from.toISOString()}') * (n / ${rows}::float8) AS at,
      floor(50 * power(random(), 2))::int AS tenant, floor(4 * random())::int AS token, random() < 0.15 AS is_other, md5(n::text) AS digest
    FROM generate_series(0, ${rows} - 1) AS n) made) calls`;
