import { Body, Controller, Delete, Get, HttpCode, Param, Put, Query } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { ApiErrors, Audience, Caller, PageQuery, Requires, type Principal } from '@app/platform';
import { ModelPage, ModelView, PutModelDto } from './model.dto';
import { Models } from './models.service';

const ApiModelId = (): MethodDecorator =>
  ApiParam({ name: 'id', description: 'Name or pattern, percent-encoded: `local%2Fdemo`.', example: 'gpt-4o' });

@Controller('api/v1/admin/models')
@Audience('admin')
@ApiTags('Models')
export class ModelsController {
  constructor(private readonly models: Models) {}

  @Get()
  @Requires('models:read')
  @ApiOperation({ summary: 'List models', description: 'With a warning where calls of a model are refused.' })
  @ApiOkResponse({ type: ModelPage })
  @ApiErrors(['validation_failed', 'cursor_invalid'])
  listModels(@Caller() principal: Principal, @Query() query: PageQuery): Promise<ModelPage> {
    return this.models.list(principal, query);
  }

  @Get(':id')
  @Requires('models:read')
  @ApiOperation({ summary: 'Show a model' })
  @ApiModelId()
  @ApiOkResponse({ type: ModelView })
  @ApiErrors(['model_not_found'])
  showModel(@Caller() principal: Principal, @Param('id') id: string): Promise<ModelView> {
    return this.models.show(principal, id);
  }

  @Put(':id')
  @Requires('models:write')
  @ApiOperation({
    summary: 'Add or change a model',
    description: 'Takes effect in every gateway process within a second.',
  })
  @ApiModelId()
  @ApiOkResponse({ type: ModelView })
  @ApiErrors(['validation_failed', 'provider_not_found'])
  putModel(@Caller() principal: Principal, @Param('id') id: string, @Body() dto: PutModelDto): Promise<ModelView> {
    return this.models.put(principal, id, dto);
  }

  @Delete(':id')
  @Requires('models:write')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Remove a model',
    description: 'Calls of it are refused from then on; what was billed stays.',
  })
  @ApiModelId()
  @ApiNoContentResponse()
  @ApiErrors(['model_not_found'])
  removeModel(@Caller() principal: Principal, @Param('id') id: string): Promise<void> {
    return this.models.remove(principal, id);
  }
}
