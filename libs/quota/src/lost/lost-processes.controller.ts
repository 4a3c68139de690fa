import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiErrors, Audience, Caller, type Principal, Requires } from '@app/platform';
import { LostProcessList, ResolvedProcess, ResolveLostProcess } from './lost-process.dto';
import { LostProcesses } from './lost-processes.service';

@Controller('api/v1/admin/gateway/lost-processes')
@Audience('admin')
@ApiTags('Operation')
export class LostProcessesController {
  constructor(private readonly lost: LostProcesses) {}

  @Get()
  @Requires('gateway:read')
  @ApiOperation({
    summary: 'List lost gateway processes',
    description:
      'Gone, with a journal that is gone too or damaged. What they had leased stays counted as held until somebody decides. ' +
      'A process that is just reconnecting to the database may show for a moment.',
  })
  @ApiOkResponse({ type: LostProcessList })
  @ApiErrors([])
  async listLostProcesses(@Caller() principal: Principal): Promise<LostProcessList> {
    return { items: await this.lost.list(principal) };
  }

  @Post(':processId/resolve')
  @HttpCode(200)
  @Requires('budgets:write')
  @ApiOperation({
    summary: 'Decide what becomes of what a lost process had leased',
    description:
      'It counts as spent, without any row in the ledger and so on no bill, or goes back. Refused while the process is alive.',
  })
  @ApiOkResponse({ type: ResolvedProcess })
  @ApiErrors(['validation_failed', 'lost_process_not_found', 'process_alive'])
  resolveLostProcess(
    @Caller() principal: Principal,
    @Param('processId') processId: string,
    @Body() decision: ResolveLostProcess,
  ): Promise<ResolvedProcess> {
    return this.lost.resolve(principal, processId, decision);
  }
}
