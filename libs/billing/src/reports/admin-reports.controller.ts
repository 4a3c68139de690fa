import { Controller, Get, Query, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import { ApiErrors, Audience, Caller, Requires, type Principal } from '@app/platform';
import type { Response } from 'express';
import { AdminReportQuery, ReportManifest } from './report.dto';
import { Reports } from './reports.service';
import { sendReport } from './send-report';

@Controller('api/v1/admin/billing')
@Audience('admin')
@ApiTags('Billing')
export class AdminReportsController {
  constructor(private readonly reports: Reports) {}

  @Get('report.csv')
  @Requires('billing:read')
  @ApiOperation({
    summary: 'Download the bill as CSV',
    description:
      'RFC 4180. The columns are documented by schema; the header `x-report-as-of` tells how to get the same bytes again.',
  })
  @ApiProduces('text/csv')
  @ApiOkResponse({ description: 'The report', schema: { type: 'string' } })
  @ApiErrors(['validation_failed', 'tenant_not_found', 'ledger_month_archived'])
  async downloadReport(
    @Caller() principal: Principal,
    @Query() query: AdminReportQuery,
    @Res() response: Response,
  ): Promise<void> {
    await sendReport(await this.reports.open(principal, query), response);
  }

  @Get('report.manifest.json')
  @Requires('billing:read')
  @ApiOperation({
    summary: 'Show what the CSV amounts to',
    description: 'Rows, totals and SHA-256 of the CSV that the same query gives, for checking a download.',
  })
  @ApiOkResponse({ type: ReportManifest })
  @ApiErrors(['validation_failed', 'tenant_not_found', 'ledger_month_archived'])
  showReportManifest(@Caller() principal: Principal, @Query() query: AdminReportQuery): Promise<ReportManifest> {
    return this.reports.manifest(principal, query);
  }
}
