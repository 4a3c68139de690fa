/**
 * SQL of the roll-up, the ledger summed up by the hour (`ledger_hours`), by the day of UTC (`ledger_days`) and, of some hours, by
 * the quarter (`ledger_quarters`): what its lines are told apart by beside their beginning, and what they add up. Each member is
 * a column of those tables and what it is of `l`, a row of the ledger.
 */
export const TOLD_BY: readonly (readonly [column: string, ofRow: string])[] = [
  ['tenant_id', 'l.tenant_id'],
  ['cost_center', 'l.cost_center'],
  ['token_id', 'l.token_id'],
  ['model', 'l.model'],
  ['provider', 'l.provider'],
  ['rate_card', 'l.rate_card'],
  ['service_tier', 'l.service_tier'],
  ['is_correction', "l.status = 'correction'"],
];

/** The first is how many rows there are. */
export const ADDED_UP: readonly (readonly [column: string, ofRow: string])[] = [
  ['requests', '1'],
  ['input_tokens', 'l.input_tokens'],
  ['output_tokens', 'l.output_tokens'],
  ['cache_read_tokens', 'l.cache_read_tokens'],
  ['cache_write_5m_tokens', 'l.cache_write_5m_tokens'],
  ['cache_write_1h_tokens', 'l.cache_write_1h_tokens'],
  ['reasoning_tokens', 'l.reasoning_tokens'],
  ['audio_input_tokens', 'l.audio_input_tokens'],
  ['audio_output_tokens', 'l.audio_output_tokens'],
  ['web_searches', 'l.web_searches'],
  ['list_cost_nanos', 'coalesce(l.list_cost_nanos, l.cost_nanos)'],
  ['cost_nanos', 'l.cost_nanos'],
  ['cached_requests', '(l.saved_nanos IS NOT NULL)::int'],
  ['saved_nanos', 'coalesce(l.saved_nanos, 0)'],
];

/** How long a line of a level lasts, which is also the column of its beginning, and that beginning by an hour's. */
export const LEVELS = [
  { table: 'ledger_hours', lasts: 'hour', beginning: (hour: string): string => hour },
  { table: 'ledger_days', lasts: 'day', beginning: (hour: string): string => `date_trunc('day', ${hour}, 'UTC')` },
] as const;

export type Level = (typeof LEVELS)[number];

const names = (columns: typeof TOLD_BY): string => columns.map(([column]) => column).join(', ');

/** The names, for a list of columns. */
export const TOLD_BY_COLUMNS = names(TOLD_BY);
export const ADDED_UP_COLUMNS = names(ADDED_UP);

/** A row of the ledger as a line of its own, for a select list; `times` is an expression to multiply it by. */
export const lineOfRow = (times = '1'): string =>
  [
    ...TOLD_BY.map(([column, ofRow]) => `${ofRow} AS ${column}`),
    ...ADDED_UP.map(([column, ofRow]) => `(${times} * ${ofRow})::bigint AS ${column}`),
  ].join(', ');

const sumsBy = (beginning: string): string =>
  `${beginning}, ${TOLD_BY.map(([column, ofRow]) => `${ofRow} AS ${column}`).join(', ')},
    ${ADDED_UP.map(([column, ofRow]) => `sum(${ofRow})::bigint AS ${column}`).join(', ')}`;
const APART = TOLD_BY.map(([, ofRow]) => ofRow).join(', ');

/** The hours that rows of the ledger, chosen by a condition, add up to, with the instant at which the last was booked. */
export const hoursWhere = (condition: string): string => `
  SELECT ${sumsBy('l.hour')}, max(l.booked_at) AS last_booked_at FROM ledger l WHERE ${condition} GROUP BY l.hour, ${APART}`;

const QUARTER = "date_bin('15 minutes', l.at, '2000-01-01Z')";

/** The quarters that rows of hours add up to. @param hours SQL of an array @param condition which of their rows */
export const quartersOf = (hours: string, condition: string): string => `
  SELECT ${sumsBy(`${QUARTER} AS quarter`)} FROM unnest(${hours}) AS split (hour) CROSS JOIN LATERAL (
    SELECT * FROM ledger l
    WHERE l.at >= split.hour AND l.at < split.hour + interval '1 hour' AND ${condition} OFFSET 0) l
  GROUP BY ${QUARTER}, ${APART}`;

/** The same of the hours that are kept by the quarter. */
export const quartersWhere = (condition: string): string => `
  SELECT ${sumsBy(`${QUARTER} AS quarter`)} FROM ledger l JOIN ledger_cut_hours USING (hour) WHERE ${condition} GROUP BY ${QUARTER}, ${APART}`;

/** The lines of a level that hours, selected by SQL, add up to. */
export const linesOf = ({ lasts, beginning }: Level, hours: string): string => `
  SELECT ${beginning('h.hour')} AS ${lasts}, ${TOLD_BY_COLUMNS}, ${ADDED_UP.map(([column]) => `sum(${column})::bigint AS ${column}`).join(', ')}
  FROM ${hours} h GROUP BY ${beginning('h.hour')}, ${TOLD_BY_COLUMNS}`;
