export { Hold } from './hold';
export type { Settlement } from './hold-desk';
export { Holds, type Reservable } from './holds.service';
export type { LedgerSink, OpenHold, SettledRow } from './ledger-sink';
