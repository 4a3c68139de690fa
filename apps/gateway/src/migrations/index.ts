import { Foundation1795300000001 } from './1795300000001-foundation';
import { Audit1795300000002 } from './1795300000002-audit';
import { Tenancy1795300000003 } from './1795300000003-tenancy';
import { Quota1795300000004 } from './1795300000004-quota';
import { Billing1795300000005 } from './1795300000005-billing';
import { BudgetScopes1795300000006 } from './1795300000006-budget-scopes';
import { Webhooks1795300000007 } from './1795300000007-webhooks';
import { BudgetNotices1795300000008 } from './1795300000008-budget-notices';
import { TenantStatements1795300000010 } from './1795300000010-tenant-statements';
import { LedgerColumns1795300000011 } from './1795300000011-ledger-columns';
import { ModelBounds1795300000012 } from './1795300000012-model-bounds';
import { Corrections1795300000013 } from './1795300000013-corrections';
import { LedgerAtScale1795300000014 } from './1795300000014-ledger-at-scale';
import { LostProcesses1795300000015 } from './1795300000015-lost-processes';
import { RequestRates1795300000016 } from './1795300000016-request-rates';
import { Concurrency1795300000019 } from './1795300000019-concurrency';
import { Deliveries1795300000020 } from './1795300000020-deliveries';
import { LedgerDays1795300000021 } from './1795300000021-ledger-days';
import { TenantPolicies1795300000022 } from './1795300000022-tenant-policies';
import { ResponseCache1795300000023 } from './1795300000023-response-cache';
import { PromptLog1795300000024 } from './1795300000024-prompt-log';
import { NoticesInOrder1795300000025 } from './1795300000025-notices-in-order';
import { LedgerQuarters1795300000028 } from './1795300000028-ledger-quarters';
import { TokenLineages1795300000029 } from './1795300000029-token-lineages';
import { OldWindows1795300000030 } from './1795300000030-old-windows';
import { LedgerApi1795300000031 } from './1795300000031-ledger-api';
import { CountedUsers1795300000032 } from './1795300000032-counted-users';
import { ProcessTimezones1795300000033 } from './1795300000033-process-timezones';
import { ProcessCommits1795300000034 } from './1795300000034-process-commits';
import { TenantWindows1795300000035 } from './1795300000035-tenant-windows';

/** In the order they run. Named one by one, so that nothing depends on what happens to lie in a folder. */
export const migrations = [
  Foundation1795300000001,
  Audit1795300000002,
  Tenancy1795300000003,
  Quota1795300000004,
  Billing1795300000005,
  BudgetScopes1795300000006,
  Webhooks1795300000007,
  BudgetNotices1795300000008,
  TenantStatements1795300000010,
  LedgerColumns1795300000011,
  ModelBounds1795300000012,
  Corrections1795300000013,
  LedgerAtScale1795300000014,
  LostProcesses1795300000015,
  RequestRates1795300000016,
  Concurrency1795300000019,
  Deliveries1795300000020,
  LedgerDays1795300000021,
  TenantPolicies1795300000022,
  ResponseCache1795300000023,
  PromptLog1795300000024,
  NoticesInOrder1795300000025,
  LedgerQuarters1795300000028,
  TokenLineages1795300000029,
  OldWindows1795300000030,
  LedgerApi1795300000031,
  CountedUsers1795300000032,
  ProcessTimezones1795300000033,
  ProcessCommits1795300000034,
  TenantWindows1795300000035,
];
