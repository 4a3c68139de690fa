import { ApiErrors, Audience, Caller, CodedError, Requires, type GatewayRequest, type Principal } from '@app/platform';
import { PromptLog } from '@app/prompts';
import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiQuery, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { KEPT, KEPT_HEADER } from '../answer/kept-call';
import { Telemetry } from '../telemetry/telemetry.service';
import { TOLD, TOLD_HEADER } from '../telemetry/traced-sink';
import { pageOf } from './model-page';
import { Offer, type Named } from './offer';

type Shape = Readonly<Record<string, unknown>>;

/** Both dialects list models under the same path; a client of the Anthropic API is known by its version header. */
@Controller('v1/models')
@Audience('tenant')
@ApiTags('Model APIs')
export class ModelListController {
  constructor(
    private readonly offer: Offer,
    private readonly prompts: PromptLog,
    private readonly telemetry: Telemetry,
  ) {}

  @Get()
  @Requires('model:invoke')
  @ApiOperation({
    summary: 'Models this key may use',
    description:
      'In the shape of the Anthropic API, and in pages, if `anthropic-version` is sent, else all in the shape of the OpenAI API.',
  })
  @ApiQuery({ name: 'limit', required: false, schema: { type: 'integer', minimum: 1, maximum: 1000, default: 20 } })
  @ApiQuery({ name: 'after_id', required: false, schema: { type: 'string' } })
  @ApiQuery({ name: 'before_id', required: false, schema: { type: 'string' } })
  @ApiOkResponse({
    schema: {
      type: 'object',
      additionalProperties: true,
      example: { object: 'list', data: [{ id: 'local/demo', object: 'model', created: 0, owned_by: 'local' }] },
    },
  })
  @ApiErrors(['validation_failed'], 'openai')
  listUsableModels(
    @Caller() principal: Principal,
    @Req() request: GatewayRequest,
    @Res({ passthrough: true }) response: Response,
    @Query('limit') limit?: string,
    @Query('after_id') afterId?: string,
    @Query('before_id') beforeId?: string,
  ): Shape {
    if (this.prompts.keepsOf(principal)) response.setHeader(KEPT_HEADER, KEPT);
    if (this.telemetry.tellsContent) response.setHeader(TOLD_HEADER, TOLD);
    const models = this.offer.namesFor(principal.allowedModels);
    if (!speaksAnthropic(request)) return { object: 'list', data: models.map(openAiShape) };
    const { page, hasMore } = pageOf(models, { limit, afterId, beforeId });
    const data = page.map(anthropicShape);
    return { data, has_more: hasMore, first_id: page[0]?.id ?? null, last_id: page.at(-1)?.id ?? null };
  }

  // Old OpenAI SDKs do not escape the slash of an id such as local/demo.
  @Get('*id')
  @Requires('model:invoke')
  @ApiOperation({ summary: 'One model this key may use' })
  @ApiParam({ name: 'id', example: 'local/demo' })
  @ApiOkResponse({
    schema: {
      type: 'object',
      additionalProperties: true,
      example: { id: 'local/demo', object: 'model', created: 0, owned_by: 'local' },
    },
  })
  @ApiErrors(['model_not_found'], 'openai')
  showUsableModel(
    @Caller() principal: Principal,
    @Param('id') id: string | string[],
    @Req() request: GatewayRequest,
  ): Shape {
    const name = typeof id === 'string' ? id : id.join('/');
    const model = this.offer.namesFor(principal.allowedModels).find((offered) => offered.id === name);
    if (!model) throw new CodedError('model_not_found', `There is no model "${name}".`);
    return speaksAnthropic(request) ? anthropicShape(model) : openAiShape(model);
  }
}

const speaksAnthropic = (request: GatewayRequest): boolean => request.headers['anthropic-version'] !== undefined;

const openAiShape = (model: Named): Shape => ({
  id: model.id,
  object: 'model',
  created: 0,
  owned_by: model.provider,
});

const anthropicShape = (model: Named): Shape => ({
  type: 'model',
  id: model.id,
  display_name: model.displayName,
  created_at: '1970-01-01T00:00:00Z',
});
