export {
  CACHED,
  checkRow,
  LEDGER_OUTCOMES,
  LEDGER_STATUSES,
  unconfirmedEntry,
  type LedgerHead,
  type LedgerOutcome,
  type LedgerRow,
  type LedgerStatus,
} from './ledger/ledger-row';
export type { LedgerApi } from './ledger/api-codes';
export { rowFromJson, usageFromJson, usageText } from './ledger/row-text';
export { cost, FORMULA, listCost, priceOf, tierOf, type Formula } from './pricing/pricing';
export { quote, quoteAll, type Bounds, type PlanQuote, type Quote } from './pricing/quote';
export type { ClassPrices, Fees, ModelPrice, TierPrice } from './pricing/model-price';
export { isServiceTier, MAX_WEB_SEARCHES, NO_USAGE, type Usage } from './pricing/usage';
export {
  inputTokens,
  MAX_TOKENS,
  NO_TOKENS,
  TOKEN_CLASSES,
  totalTokens,
  type TokenClass,
  type TokenCounts,
} from './pricing/token-counts';
export type { RateCard } from './rates/rate-card';
export { LOCAL_PROVIDER, type ModelEntry, type Tokenizer } from './catalogue/model-entry';
export { BillingModule } from './billing.module';
export { DeliveriesModule } from './deliveries/deliveries.module';
export { DeliveryRunner } from './deliveries/delivery-runner.service';
export { Catalogue, type CatalogueContents } from './catalogue/catalogue.service';
export { Prices, type PricedModels } from './catalogue/prices.service';
export { UnpricedCalls } from './catalogue/unpriced-calls.service';
export { Seeding } from './catalogue/seeding.service';
export { LedgerFigures } from './ledger/ledger-figures.service';
export { LedgerPartitions } from './ledger/ledger-partitions.service';
export { Ledger } from './ledger/ledger.service';
export type { BudgetBooks, UsageChange } from './corrections/budget-books';
export { CorrectionBooking } from './corrections/booking.service';
export type { UncertainCounts } from './corrections/uncertain-row.dto';
export type { UsedBy } from './roll-up/used.queries';
export { propose, type Proposed } from './reconciliation/propose';
export { reconcile, type ReconciledBills, type ReconcileOptions } from './reconciliation/reconcile';
export type { StatementExport, StatementFault, StatementVerdict } from './statements/verify-statement';
export { verifyStatements } from './statements/verify-statements';
export type { StatementCardText, StatementView } from './statements/statement.dto';
