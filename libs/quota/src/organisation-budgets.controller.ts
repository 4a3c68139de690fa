import { Body, Controller, Delete, Get, HttpCode, Post, Put, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiErrors, ApiIdempotent, Audience, Caller, IdempotencyKey, type Principal, Requires } from '@app/platform';
import {
  BudgetList,
  BudgetView,
  OrganisationBudgetKey,
  SetOrganisationBudget,
  TopUpOrganisationBudget,
} from './budget.dto';
import { BudgetsService } from './budgets.service';

@Controller('api/v1/admin/budgets')
@Audience('admin')
@ApiTags('Budgets')
export class OrganisationBudgetsController {
  constructor(private readonly budgets: BudgetsService) {}

  @Get()
  @Requires('budgets:read')
  @ApiOperation({ summary: 'Show the budgets of all tenants together and what is used of them' })
  @ApiOkResponse({ type: BudgetList })
  @ApiErrors([])
  listOrganisationBudgets(@Caller() principal: Principal): Promise<BudgetList> {
    return this.budgets.listOrganisation(principal);
  }

  @Put()
  @Requires('budgets:write')
  @ApiOperation({
    summary: 'Set a budget of all tenants together',
    description:
      'Every call counts in it, beside the budgets of its tenant. What was used stays used; every gateway process obeys within a second.',
  })
  @ApiOkResponse({ type: BudgetView })
  @ApiErrors([])
  setOrganisationBudget(@Caller() principal: Principal, @Body() budget: SetOrganisationBudget): Promise<BudgetView> {
    return this.budgets.set(principal, null, budget);
  }

  @Post('top-ups')
  @Requires('budgets:write')
  @ApiOperation({
    summary: 'Add once to a budget of all tenants together',
    description: 'Raises the limit of the period under way and of no other, with a reason for the audit log.',
  })
  @ApiIdempotent()
  @ApiCreatedResponse({ type: BudgetView })
  @ApiErrors(['budget_not_found', 'idempotency_conflict'])
  topUpOrganisationBudget(
    @Caller() principal: Principal,
    @Body() topUp: TopUpOrganisationBudget,
    @IdempotencyKey() key?: string,
  ): Promise<BudgetView> {
    return this.budgets.topUp(principal, null, topUp, key);
  }

  @Delete()
  @HttpCode(204)
  @Requires('budgets:write')
  @ApiOperation({
    summary: 'Remove a budget of all tenants together',
    description: 'What is used of its last period is counted all the same.',
  })
  @ApiNoContentResponse()
  @ApiErrors(['budget_not_found'])
  removeOrganisationBudget(@Caller() principal: Principal, @Query() key: OrganisationBudgetKey): Promise<void> {
    return this.budgets.remove(principal, null, key);
  }
}
