import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  ApiBodyExamples,
  ApiErrors,
  ApiIdempotent,
  Audience,
  Caller,
  IdempotencyKey,
  Requires,
  type Principal,
} from '@app/platform';
import { CORRECTION_EXAMPLES, CorrectionView, CorrectRowDto, ResolutionView, ResolveRowsDto } from './correction.dto';
import { Corrections } from './corrections.service';
import { LedgerRowPage, LedgerRowView, UncertainCounts, UncertainRowsQuery } from './uncertain-row.dto';
import { UncertainRows } from './uncertain-rows.service';

@Controller('api/v1/admin/ledger')
@Audience('admin')
@ApiTags('Ledger')
export class LedgerRowsController {
  constructor(
    private readonly rows: UncertainRows,
    private readonly corrections: Corrections,
  ) {}

  @Get('rows')
  @Requires('billing:read')
  @ApiOperation({
    summary: 'List rows that are not sure',
    description:
      'Calls billed at an estimate or at their worst case, with the reason, newest first; of all times if no period is ' +
      'given, as far as they are in the ledger. Those that somebody has corrected are left out.',
  })
  @ApiOkResponse({ type: LedgerRowPage })
  @ApiErrors(['validation_failed', 'tenant_not_found', 'cursor_invalid', 'ledger_month_archived'])
  listUncertainRows(@Caller() principal: Principal, @Query() query: UncertainRowsQuery): Promise<LedgerRowPage> {
    return this.rows.list(principal, query);
  }

  @Get('uncertain')
  @Requires('billing:read')
  @ApiOperation({ summary: 'Count the rows that are not sure and that nobody has corrected' })
  @ApiOkResponse({ type: UncertainCounts })
  @ApiErrors()
  countUncertainRows(@Caller() principal: Principal): Promise<UncertainCounts> {
    return this.rows.counts(principal);
  }

  @Get('rows/:requestId')
  @Requires('billing:read')
  @ApiOperation({ summary: 'Show a row, and how it is billed with all its corrections' })
  @ApiOkResponse({ type: LedgerRowView })
  @ApiErrors(['usage_not_found', 'row_is_correction', 'ledger_month_archived'])
  showLedgerRow(@Caller() principal: Principal, @Param('requestId') requestId: string): Promise<LedgerRowView> {
    return this.rows.show(principal, requestId);
  }

  @Post('rows/:requestId/corrections')
  @Requires('billing:write')
  @ApiOperation({
    summary: 'Correct a row',
    description:
      'States what the call really used. The row stays as it is: the difference is booked beside it, in the bill of its ' +
      'month or, if that is closed, in the next, and in the budgets it counts in.',
  })
  @ApiIdempotent()
  @ApiBodyExamples(CorrectRowDto, CORRECTION_EXAMPLES)
  @ApiCreatedResponse({ type: CorrectionView })
  @ApiErrors([
    'validation_failed',
    'usage_not_found',
    'row_is_correction',
    'correction_empty',
    'idempotency_conflict',
    'ledger_month_archived',
  ])
  correctLedgerRow(
    @Caller() principal: Principal,
    @Param('requestId') requestId: string,
    @Body() dto: CorrectRowDto,
    @IdempotencyKey() key?: string,
  ): Promise<CorrectionView> {
    return this.corrections.correct(principal, requestId, dto, key);
  }

  @Post('resolutions')
  @Requires('billing:write')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Decide about many rows that are not sure',
    description: 'At most 500 at once, oldest first: billed as they are, or not at all.',
  })
  @ApiIdempotent()
  @ApiOkResponse({ type: ResolutionView })
  @ApiErrors(['validation_failed', 'idempotency_conflict'])
  resolveLedgerRows(
    @Caller() principal: Principal,
    @Body() dto: ResolveRowsDto,
    @IdempotencyKey() key?: string,
  ): Promise<ResolutionView> {
    return this.corrections.resolve(principal, dto, key);
  }
}
