export {
  checkRow,
  LEDGER_OUTCOMES,
  LEDGER_STATUSES,
  rowFromJson,
  rowToJson,
  unconfirmedRow,
  type LedgerDraft,
  type LedgerOutcome,
  type LedgerRow,
  type LedgerRowJson,
  type LedgerStatus,
} from './ledger/ledger-row';
export { cost, FORMULA, priceOf, quote, type Bounds, type Formula, type Quote } from './pricing/pricing';
export type { ClassPrices, ModelPrice } from './pricing/model-price';
export {
  MAX_TOKENS,
  NO_TOKENS,
  TOKEN_CLASSES,
  totalTokens,
  type TokenClass,
  type TokenCounts,
} from './pricing/token-counts';
export type { RateCard } from './rates/rate-card';
export { LOCAL_PROVIDER, type ModelEntry } from './catalogue/model-entry';
export { BillingModule } from './billing.module';
export { Catalogue, type CatalogueContents } from './catalogue/catalogue.service';
export { Seeding } from './catalogue/seeding.service';
export { LedgerPartitions } from './ledger/ledger-partitions.service';
export { Ledger } from './ledger/ledger.service';
export { reconcile, type ReconcileOptions, type Reconciliation } from './reconciliation/reconcile';
export {
  verifyStatement,
  type StatementExport,
  type StatementFault,
  type StatementVerdict,
} from './statements/verify-statement';
export type { StatementCardText, StatementView } from './statements/statement.dto';
