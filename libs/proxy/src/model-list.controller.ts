import { ApiErrors, Audience, Caller, CodedError, Requires, type GatewayRequest, type Principal } from '@app/platform';
import { Controller, Get, Param, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { Offer, type Named } from './offer';

type Shape = Readonly<Record<string, unknown>>;

/** Both dialects list models under the same path; a client of the Anthropic API is known by its version header. */
@Controller('v1/models')
@Audience('tenant')
@ApiTags('Models')
export class ModelListController {
  constructor(private readonly offer: Offer) {}

  @Get()
  @Requires('model:invoke')
  @ApiOperation({
    summary: 'Models this key may use',
    description: 'In the shape of the Anthropic API if `anthropic-version` is sent, else of the OpenAI API.',
  })
  @ApiOkResponse({
    schema: {
      type: 'object',
      additionalProperties: true,
      example: { object: 'list', data: [{ id: 'local/demo', object: 'model', created: 0, owned_by: 'local' }] },
    },
  })
  @ApiErrors([], 'openai')
  listUsableModels(@Caller() principal: Principal, @Req() request: GatewayRequest): Shape {
    const models = this.offer.namesFor(principal.allowedModels);
    if (!speaksAnthropic(request)) return { object: 'list', data: models.map(openAiShape) };
    const data = models.map(anthropicShape);
    return { data, has_more: false, first_id: models[0]?.id ?? null, last_id: models.at(-1)?.id ?? null };
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
