import { Controller, Get, Query, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import { ApiErrors, Audience, Caller, Requires, type Principal } from '@app/platform';
import type { Response } from 'express';
import { TenantReportQuery, ReportManifest } from './report.dto';
import { Reports } from './reports.service';
import { sendReport } from './send-report';

@Controller('api/v1/tenant/billing')
@Audience('tenant')
@ApiTags('Own usage')
export class TenantReportsController {
  constructor(private readonly reports: Reports) {}

  @Get('report.csv')
  @Requires('tenant:usage')
  @ApiOperation({
    summary: 'Download the own bill as CSV',
    description:
      'RFC 4180. The columns are documented by schema; the header `x-report-as-of` tells how to get the same bytes again.',
  })
  @ApiProduces('text/csv')
  @ApiOkResponse({ description: 'The report', schema: { type: 'string' } })
  @ApiErrors(['validation_failed', 'ledger_month_archived'])
  async downloadOwnReport(
    @Caller() principal: Principal,
    @Query() query: TenantReportQuery,
    @Res() response: Response,
  ): Promise<void> {
    await sendReport(await this.reports.open(principal, query), response);
  }

  @Get('report.manifest.json')
  @Requires('tenant:usage')
  @ApiOperation({
    summary: 'Show what the own CSV amounts to',
    description: 'Rows, totals and SHA-256 of the CSV that the same query gives, for checking a download.',
  })
  @ApiOkResponse({ type: ReportManifest })
  @ApiErrors(['validation_failed', 'ledger_month_archived'])
  showOwnReportManifest(@Caller() principal: Principal, @Query() query: TenantReportQuery): Promise<ReportManifest> {
    return this.reports.manifest(principal, query);
  }
}
