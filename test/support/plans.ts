/**
 * Ways of joining, sorting and reading that PostgreSQL may be kept from (`enable_…`), so that it takes others. Which it takes by itself
 * depends on how much is there, so that what is only right with some of them is not seen in a small database.
 */
export const PLANS = [
  [],
  ['hashjoin'],
  ['hashjoin', 'mergejoin'],
  ['hashjoin', 'mergejoin', 'hashagg'],
  ['hashjoin', 'mergejoin', 'seqscan'],
  ['hashjoin', 'nestloop'],
  ['mergejoin', 'nestloop'],
] as const satisfies readonly (readonly string[])[];
