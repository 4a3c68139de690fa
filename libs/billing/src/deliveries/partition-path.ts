import type { Grain } from './delivery-period';

/** Where the files of one period and tenant stand. */
export interface PartitionPath {
  /** With forward slashes, relative to the place of the delivery. */
  readonly folder: string;
  readonly csv: string;
  /** Loaders of such folders pass over names that begin with an underscore, so only the CSV is data to them. */
  readonly manifest: string;
}

/**
 * The folder names that Hive gave to partitions and that loaders read as columns. They are none of the CSV's own, which
 * would come twice then.
 * @param schema `usage-detail/1`: another number is another folder, so that a loader never meets other columns
 * @param period `2026-11-24` or `2026-11`
 */
export function partitionPath(schema: string, grain: Grain, period: string, tenant: string | null): PartitionPath {
  const date = `${grain === 'day' ? 'dt' : 'period'}=${period}`;
  const base = `${schema.replace(/\/.*/, '')}-${period}`;
  return {
    folder: [schema, date, ...(tenant === null ? [] : [`tenant_id=${tenant}`])].join('/'),
    csv: `${base}.csv`,
    manifest: `_${base}.manifest.json`,
  };
}
