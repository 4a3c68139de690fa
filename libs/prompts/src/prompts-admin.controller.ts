import { ApiErrors, Audience, Caller, Principal, Requires, type Page } from '@app/platform';
import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { PromptReading } from './prompt-reading.service';
import { ListPrompts, PromptPage, PromptView, type PromptHeadView } from './prompt.dto';

@Controller('api/v1/admin/prompts')
@Audience('admin')
@ApiTags('Prompt log')
export class PromptsAdminController {
  constructor(private readonly prompts: PromptReading) {}

  @Get()
  @Requires('prompts:read')
  @ApiOperation({
    summary: 'List what is kept of a tenant',
    description: 'Newest first, without the texts. That it was listed is recorded in the audit log.',
  })
  @ApiOkResponse({ type: PromptPage })
  @ApiErrors(['validation_failed', 'cursor_invalid'])
  listPrompts(@Caller() principal: Principal, @Query() query: ListPrompts): Promise<Page<PromptHeadView>> {
    return this.prompts.list(principal, query);
  }

  @Get(':requestId')
  @Requires('prompts:read')
  @ApiOperation({
    summary: 'Read request and answer of a call',
    description: 'That it was read, and by whom, is recorded in the audit log.',
  })
  @ApiOkResponse({ type: PromptView })
  @ApiErrors(['prompt_not_found', 'prompt_key_missing', 'prompt_damaged'])
  readPrompt(@Caller() principal: Principal, @Param('requestId') requestId: string): Promise<PromptView> {
    return this.prompts.show(principal, requestId);
  }
}
