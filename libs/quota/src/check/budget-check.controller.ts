import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiErrors, ApiIdempotent, Audience, Caller, IdempotencyKey, type Principal, Requires } from '@app/platform';
import { BudgetCheckResult, BudgetRepairResult, RepairBudgets } from './budget-check.dto';
import { BudgetCheck } from './budget-check.service';

@Controller('api/v1/admin/budgets')
@Audience('admin')
@ApiTags('Budgets')
export class BudgetCheckController {
  constructor(private readonly budgets: BudgetCheck) {}

  @Get('check')
  @Requires('budgets:read')
  @ApiOperation({
    summary: 'Compare all budgets with the ledger',
    description:
      'Of every tenant and the organisation, in the day and the month under way: what is counted as spent must be what the rows of the ledger ' +
      'add up to, and what was written off. Exact while calls are booked, and keeps none of them waiting.',
  })
  @ApiOkResponse({ type: BudgetCheckResult })
  @ApiErrors([])
  checkBudgets(@Caller() principal: Principal): Promise<BudgetCheckResult> {
    return this.budgets.check(principal);
  }

  @Post('repairs')
  @HttpCode(200)
  @Requires('budgets:write')
  @ApiOperation({
    summary: 'Put right what budgets have counted',
    description:
      'Where the check finds a difference, what is spent becomes what the ledger has, and what was written off. Limits stay, and every gateway ' +
      'process obeys within a second. Each budget changed is in the audit log, with the reason.',
  })
  @ApiIdempotent()
  @ApiOkResponse({ type: BudgetRepairResult })
  @ApiErrors(['validation_failed', 'idempotency_conflict'])
  repairBudgets(
    @Caller() principal: Principal,
    @Body() repair: RepairBudgets,
    @IdempotencyKey() key?: string,
  ): Promise<BudgetRepairResult> {
    return this.budgets.repair(principal, repair, key);
  }
}
