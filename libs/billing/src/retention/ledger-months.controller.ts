import { Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiErrors, Audience, Caller, Requires, type Principal } from '@app/platform';
import { LedgerMonthList, LedgerMonthView, RollUpCheck } from './ledger-month.dto';
import { LedgerMonths } from './ledger-months.service';

@Controller('api/v1/admin/ledger/months')
@Audience('admin')
@ApiTags('Ledger')
export class LedgerMonthsController {
  constructor(private readonly months: LedgerMonths) {}

  @Get()
  @Requires('billing:read')
  @ApiOperation({
    summary: 'List the months of the ledger',
    description: 'In UTC, newest first, with what each waits for.',
  })
  @ApiOkResponse({ type: LedgerMonthList })
  @ApiErrors()
  listLedgerMonths(@Caller() principal: Principal): Promise<LedgerMonthList> {
    return this.months.list(principal);
  }

  @Get(':month/check')
  @Requires('billing:read')
  @ApiOperation({
    summary: 'Compare the roll-up of a month with its rows',
    description: 'Reports read sums by the hour; this reads every row of the month and says where they differ.',
  })
  @ApiOkResponse({ type: RollUpCheck })
  @ApiErrors(['ledger_month_not_found', 'ledger_month_archived'])
  checkLedgerMonth(@Caller() principal: Principal, @Param('month') month: string): Promise<RollUpCheck> {
    return this.months.check(principal, month);
  }

  @Post(':month/rebuild')
  @HttpCode(200)
  @Requires('billing:write')
  @ApiOperation({ summary: 'Sum a month up again', description: 'From its rows, as far as the roll-up goes.' })
  @ApiOkResponse({ type: LedgerMonthView })
  @ApiErrors(['ledger_month_not_found', 'ledger_month_archived'])
  rebuildLedgerMonth(@Caller() principal: Principal, @Param('month') month: string): Promise<LedgerMonthView> {
    return this.months.rebuild(principal, month);
  }

  @Post(':month/detach')
  @HttpCode(200)
  @Requires('billing:write')
  @ApiOperation({
    summary: 'Take a month out of the ledger',
    description:
      'Its rows stay in a table of the schema `openclawmu_archive`, its totals in the reports. Only when it is `detachable`.',
  })
  @ApiOkResponse({ type: LedgerMonthView })
  @ApiErrors(['ledger_month_not_found', 'ledger_month_state'])
  detachLedgerMonth(@Caller() principal: Principal, @Param('month') month: string): Promise<LedgerMonthView> {
    return this.months.detach(principal, month);
  }

  @Post(':month/attach')
  @HttpCode(200)
  @Requires('billing:write')
  @ApiOperation({ summary: 'Bring a month back into the ledger', description: 'With all tables that hold rows of it.' })
  @ApiOkResponse({ type: LedgerMonthView })
  @ApiErrors(['ledger_month_not_found', 'ledger_month_state'])
  attachLedgerMonth(@Caller() principal: Principal, @Param('month') month: string): Promise<LedgerMonthView> {
    return this.months.attach(principal, month);
  }
}
