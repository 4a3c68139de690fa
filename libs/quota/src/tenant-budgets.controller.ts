import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiErrors, Audience, Caller, type Principal, Requires } from '@app/platform';
import { BudgetList } from './budget.dto';
import { BudgetsService } from './budgets.service';

@Controller('api/v1/tenant/budgets')
@Audience('tenant')
@ApiTags('Budgets')
export class TenantBudgetsController {
  constructor(private readonly budgets: BudgetsService) {}

  @Get()
  @Requires('tenant:usage')
  @ApiOperation({ summary: 'Shows your budgets and what is used of them' })
  @ApiOkResponse({ type: BudgetList })
  @ApiErrors([])
  listOwnBudgets(@Caller() principal: Principal): Promise<BudgetList> {
    return this.budgets.listOwn(principal);
  }
}
