import { Controller, Get, Param, Query, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import { ApiErrors, Audience, Caller, PageQuery, Requires, type Principal } from '@app/platform';
import type { Response } from 'express';
import { sendCsv } from '../reports/send-report';
import { StatementPage, StatementView } from './statement.dto';
import { Statements } from './statements.service';

/** Price lists are the gateway's own affair, so rate cards are no file of these: the manifest names them by their hashes. */
@Controller('api/v1/tenant/statements')
@Audience('tenant')
@ApiTags('Own usage')
export class TenantStatementsController {
  constructor(private readonly statements: Statements) {}

  @Get()
  @Requires('tenant:usage')
  @ApiOperation({ summary: 'List own statements', description: 'Newest month first.' })
  @ApiOkResponse({ type: StatementPage })
  @ApiErrors(['validation_failed', 'cursor_invalid'])
  listOwnStatements(@Caller() principal: Principal, @Query() query: PageQuery): Promise<StatementPage> {
    return this.statements.list(principal, query);
  }

  @Get(':statementId')
  @Requires('tenant:usage')
  @ApiOperation({ summary: 'Show an own statement', description: 'Its manifest: what it covers, totals and hashes.' })
  @ApiOkResponse({ type: StatementView })
  @ApiErrors(['statement_not_found'])
  showOwnStatement(@Caller() principal: Principal, @Param('statementId') id: string): Promise<StatementView> {
    return this.statements.show(principal, id);
  }

  @Get(':statementId/bill.csv')
  @Requires('tenant:usage')
  @ApiOperation({
    summary: "Download an own statement's bill",
    description: 'RFC 4180, the very bytes it was closed with. The download breaks off if they can no longer be had.',
  })
  @ApiProduces('text/csv')
  @ApiOkResponse({ description: 'The bill', schema: { type: 'string' } })
  @ApiErrors(['statement_not_found', 'statement_altered', 'ledger_month_archived'])
  async downloadOwnStatement(
    @Caller() principal: Principal,
    @Param('statementId') id: string,
    @Res() response: Response,
  ): Promise<void> {
    const { chunks, filename } = await this.statements.bill(principal, id);
    await sendCsv(chunks, filename, response);
  }

  @Get(':statementId/digests.csv')
  @Requires('tenant:usage')
  @ApiOperation({ summary: "Download the SHA-256 of each line of an own statement's bill" })
  @ApiProduces('text/csv')
  @ApiOkResponse({ description: 'Request id and SHA-256', schema: { type: 'string' } })
  @ApiErrors(['statement_not_found', 'statement_altered', 'ledger_month_archived'])
  async downloadOwnStatementDigests(
    @Caller() principal: Principal,
    @Param('statementId') id: string,
    @Res() response: Response,
  ): Promise<void> {
    const { chunks, filename } = await this.statements.digests(principal, id);
    await sendCsv(chunks, filename, response);
  }
}
