import type { TenantView } from './tenant.dto';
import type { TenantRow } from './tenant.entity';

export const tenantView = (row: TenantRow): TenantView => ({
  id: row.id,
  name: row.name,
  status: row.status,
  costCenter: row.costCenter,
  allowedModels: row.allowedModels,
  settings: row.settings,
  promptLog: row.promptLog,
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
  deletedAt: row.deletedAt?.toISOString() ?? null,
});
