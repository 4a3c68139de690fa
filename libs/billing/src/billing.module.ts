import { Module, type OnModuleInit } from '@nestjs/common';
import { AuditModule } from '@app/audit';
import { JobPrincipals } from '@app/platform';
import { CatalogueLoader } from './catalogue/catalogue-loader.service';
import { Catalogue } from './catalogue/catalogue.service';
import { ModelsController } from './catalogue/models.controller';
import { Models } from './catalogue/models.service';
import { Prices } from './catalogue/prices.service';
import { Seeding } from './catalogue/seeding.service';
import { UnpricedCalls } from './catalogue/unpriced-calls.service';
import { LedgerFigures } from './ledger/ledger-figures.service';
import { CardCorrectionRunner } from './corrections/card-correction-runner.service';
import { CardCorrections } from './corrections/card-corrections.service';
import { CorrectionBooking } from './corrections/booking.service';
import { Corrections } from './corrections/corrections.service';
import { LedgerRowsController } from './corrections/ledger-rows.controller';
import { UncertainRows } from './corrections/uncertain-rows.service';
import { LedgerPartitions } from './ledger/ledger-partitions.service';
import { Ledger } from './ledger/ledger.service';
import { RollUp } from './roll-up/roll-up.service';
import { RateFilesController } from './rate-files/rate-files.controller';
import { RateFiles } from './rate-files/rate-files.service';
import { RateCardsController } from './rates/rate-cards.controller';
import { RateCards } from './rates/rate-cards.service';
import { AdminReportsController } from './reports/admin-reports.controller';
import { AdminUsageController } from './reports/admin-usage.controller';
import { Reports } from './reports/reports.service';
import { TenantReportsController } from './reports/tenant-reports.controller';
import { TenantUsageController } from './reports/tenant-usage.controller';
import { Usage } from './reports/usage.service';
import { LedgerMonthsController } from './retention/ledger-months.controller';
import { LedgerMonths } from './retention/ledger-months.service';
import { Retention } from './retention/retention.service';
import { StatementExports } from './statements/statement-exports.service';
import { StatementsController } from './statements/statements.controller';
import { Statements } from './statements/statements.service';
import { TenantStatementsController } from './statements/tenant-statements.controller';

/** Prices, the ledger and what is read out of it. */
@Module({
  imports: [AuditModule],
  controllers: [
    ModelsController,
    RateCardsController,
    RateFilesController,
    AdminUsageController,
    TenantUsageController,
    AdminReportsController,
    TenantReportsController,
    LedgerRowsController,
    StatementsController,
    LedgerMonthsController,
    TenantStatementsController,
  ],
  providers: [
    Catalogue,
    CatalogueLoader,
    Models,
    Seeding,
    UnpricedCalls,
    Prices,
    RateCards,
    RateFiles,
    Ledger,
    LedgerPartitions,
    RollUp,
    LedgerMonths,
    Retention,
    LedgerFigures,
    CorrectionBooking,
    Corrections,
    CardCorrections,
    CardCorrectionRunner,
    UncertainRows,
    Usage,
    Reports,
    Statements,
    StatementExports,
  ],
  exports: [
    Reports,
    Statements,
    StatementExports,
    Catalogue,
    Prices,
    Ledger,
    LedgerFigures,
    CorrectionBooking,
    UncertainRows,
  ],
})
export class BillingModule implements OnModuleInit {
  constructor(
    private readonly seeding: Seeding,
    private readonly loader: CatalogueLoader,
    private readonly partitions: LedgerPartitions,
    private readonly jobs: JobPrincipals,
    private readonly cardCorrections: CardCorrectionRunner,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.seeding.seedDefaults(this.jobs.for('first start'));
    await this.partitions.start();
    await this.loader.start();
    this.cardCorrections.start();
  }
}
