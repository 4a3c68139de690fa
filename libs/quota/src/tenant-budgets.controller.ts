import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiErrors, Audience, Caller, type Principal, Requires } from '@app/platform';
import { BudgetList, BudgetQuery } from './budget.dto';
import { BudgetsService } from './budgets.service';

@Controller('api/v1/tenant/budgets')
@Audience('tenant')
@ApiTags('Own usage')
export class TenantBudgetsController {
  constructor(private readonly budgets: BudgetsService) {}

  @Get()
  @Requires('tenant:usage')
  @ApiOperation({ summary: 'Show your budgets and what is used of them' })
  @ApiOkResponse({ type: BudgetList })
  @ApiErrors(['token_not_found', 'cursor_invalid'])
  listOwnBudgets(@Caller() principal: Principal, @Query() query: BudgetQuery): Promise<BudgetList> {
    return this.budgets.listOwn(principal, query);
  }
}
