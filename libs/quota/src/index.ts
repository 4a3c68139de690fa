export { BudgetsService } from './budgets.service';
export type { Hold, Settlement } from './hold';
export { Holds, type Reservable } from './holds.service';
export type { LedgerSink, OpenHold, SettledRow, Unconfirmed } from './ledger-sink';
export { QuotaModule } from './quota.module';
export { Quota, type QuotaFacts } from './quota.service';
export type { LostProcess } from './recovery.service';
export { Settlements } from './settlements.service';
