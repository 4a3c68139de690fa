import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import { ApiErrors, Audience, Caller, Requires, type Principal } from '@app/platform';
import type { Response } from 'express';
import { sendCsv } from '../reports/send-report';
import { CloseStatementDto, StatementCardText, StatementPage, StatementsQuery, StatementView } from './statement.dto';
import { StatementExports } from './statement-exports.service';
import { Statements } from './statements.service';

@Controller('api/v1/admin/statements')
@Audience('admin')
@ApiTags('Statements')
export class StatementsController {
  constructor(
    private readonly statements: Statements,
    private readonly exports: StatementExports,
  ) {}

  @Post()
  @HttpCode(200)
  @Requires('billing:write')
  @ApiOperation({
    summary: 'Close a month',
    description:
      'Of a tenant or of the whole gateway. Its rows are fixed from then on; what is booked later stands in the next ' +
      'statement. Closing it again answers the same statement.',
  })
  @ApiOkResponse({ type: StatementView })
  @ApiErrors([
    'validation_failed',
    'tenant_not_found',
    'period_not_over',
    'statement_out_of_order',
    'ledger_month_archived',
  ])
  closeStatement(@Caller() principal: Principal, @Body() dto: CloseStatementDto): Promise<StatementView> {
    return this.statements.close(principal, dto);
  }

  @Get()
  @Requires('billing:read')
  @ApiOperation({ summary: 'List statements', description: 'Newest month first.' })
  @ApiOkResponse({ type: StatementPage })
  @ApiErrors(['validation_failed', 'cursor_invalid'])
  listStatements(@Caller() principal: Principal, @Query() query: StatementsQuery): Promise<StatementPage> {
    return this.statements.list(principal, query);
  }

  @Get(':statementId')
  @Requires('billing:read')
  @ApiOperation({ summary: 'Show a statement', description: 'Its manifest: what it covers, totals and hashes.' })
  @ApiOkResponse({ type: StatementView })
  @ApiErrors(['statement_not_found'])
  showStatement(@Caller() principal: Principal, @Param('statementId') id: string): Promise<StatementView> {
    return this.statements.show(principal, id);
  }

  @Get(':statementId/bill.csv')
  @Requires('billing:read')
  @ApiOperation({
    summary: "Download a statement's bill",
    description: 'RFC 4180, the very bytes it was closed with. The download breaks off if they can no longer be had.',
  })
  @ApiProduces('text/csv')
  @ApiOkResponse({ description: 'The bill', schema: { type: 'string' } })
  @ApiErrors(['statement_not_found', 'statement_altered', 'ledger_month_archived'])
  async downloadStatement(
    @Caller() principal: Principal,
    @Param('statementId') id: string,
    @Res() response: Response,
  ): Promise<void> {
    const { chunks, filename } = await this.statements.bill(principal, id);
    if (await sendCsv(chunks, filename, response)) await this.exports.record(principal, id, 'bill');
  }

  @Get(':statementId/digests.csv')
  @Requires('billing:read')
  @ApiOperation({ summary: "Download the SHA-256 of each line of a statement's bill" })
  @ApiProduces('text/csv')
  @ApiOkResponse({ description: 'Request id and SHA-256', schema: { type: 'string' } })
  @ApiErrors(['statement_not_found', 'statement_altered', 'ledger_month_archived'])
  async downloadStatementDigests(
    @Caller() principal: Principal,
    @Param('statementId') id: string,
    @Res() response: Response,
  ): Promise<void> {
    const { chunks, filename } = await this.statements.digests(principal, id);
    if (await sendCsv(chunks, filename, response)) await this.exports.record(principal, id, 'digests');
  }

  @Get(':statementId/rate-cards.json')
  @Requires('billing:read')
  @ApiOperation({ summary: 'List the rate cards a statement was priced by, as their hashes cover them' })
  @ApiOkResponse({ type: [StatementCardText] })
  @ApiErrors(['statement_not_found'])
  listStatementRateCards(
    @Caller() principal: Principal,
    @Param('statementId') id: string,
  ): Promise<StatementCardText[]> {
    return this.statements.rateCards(principal, id);
  }
}
