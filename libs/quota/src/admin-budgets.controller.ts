import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  ApiBodyExamples,
  ApiErrors,
  ApiIdempotent,
  Audience,
  Caller,
  IdempotencyKey,
  type Principal,
  Requires,
} from '@app/platform';
import {
  BUDGET_EXAMPLES,
  BudgetKey,
  BudgetList,
  BudgetQuery,
  BudgetView,
  SetBudget,
  TOP_UP_EXAMPLES,
  TopUpBudget,
} from './budget.dto';
import { BudgetsService } from './budgets.service';

@Controller('api/v1/admin/tenants/:tenantId/budgets')
@Audience('admin')
@ApiTags('Budgets')
export class AdminBudgetsController {
  constructor(private readonly budgets: BudgetsService) {}

  @Get()
  @Requires('budgets:read')
  @ApiOperation({ summary: "Show a tenant's budgets and what is used of them" })
  @ApiOkResponse({ type: BudgetList })
  @ApiErrors(['tenant_not_found', 'token_not_found', 'cursor_invalid'])
  listBudgets(
    @Caller() principal: Principal,
    @Param('tenantId') tenantId: string,
    @Query() query: BudgetQuery,
  ): Promise<BudgetList> {
    return this.budgets.list(principal, tenantId, query);
  }

  @Put()
  @Requires('budgets:write')
  @ApiOperation({
    summary: 'Set a budget',
    description:
      'Replaces the limit of that period, if there is one. What was used stays used; every gateway process obeys within a second. ' +
      'A call has to fit into every budget it counts in: those of its tenant, its token, its end user, all patterns that match ' +
      'its model, and the organisation. A budget that names a token or an end user takes the place of the one that each has.',
  })
  @ApiBodyExamples(SetBudget, BUDGET_EXAMPLES)
  @ApiOkResponse({ type: BudgetView })
  @ApiErrors(['tenant_not_found', 'tenant_state', 'token_not_found'])
  setBudget(
    @Caller() principal: Principal,
    @Param('tenantId') tenantId: string,
    @Body() budget: SetBudget,
  ): Promise<BudgetView> {
    return this.budgets.set(principal, tenantId, budget);
  }

  @Post('top-ups')
  @Requires('budgets:write')
  @ApiOperation({
    summary: 'Add to a budget once',
    description:
      'Raises the limit of the period under way and of no other, with a reason for the audit log. Only where there is a budget; ' +
      'of those that each has, for one at a time.',
  })
  @ApiIdempotent()
  @ApiBodyExamples(TopUpBudget, TOP_UP_EXAMPLES)
  @ApiCreatedResponse({ type: BudgetView })
  @ApiErrors(['tenant_not_found', 'tenant_state', 'token_not_found', 'budget_not_found', 'idempotency_conflict'])
  topUpBudget(
    @Caller() principal: Principal,
    @Param('tenantId') tenantId: string,
    @Body() topUp: TopUpBudget,
    @IdempotencyKey() key?: string,
  ): Promise<BudgetView> {
    return this.budgets.topUp(principal, tenantId, topUp, key);
  }

  @Delete()
  @HttpCode(204)
  @Requires('budgets:write')
  @ApiOperation({
    summary: 'Remove a budget',
    description:
      'Any amount may then be used in that period. What is used of it is counted all the same; a token or an end user falls back to ' +
      'the budget that each has.',
  })
  @ApiNoContentResponse()
  @ApiErrors(['tenant_not_found', 'tenant_state', 'token_not_found', 'budget_not_found'])
  removeBudget(
    @Caller() principal: Principal,
    @Param('tenantId') tenantId: string,
    @Query() key: BudgetKey,
  ): Promise<void> {
    return this.budgets.remove(principal, tenantId, key);
  }
}
