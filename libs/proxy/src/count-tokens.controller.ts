import { ApiErrors, Audience, Caller, Config, Requires, type GatewayRequest, type Principal } from '@app/platform';
import { Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { HttpSink } from './answer/answer-sink';
import { TokenCounts } from './counting/token-counts.service';
import { queryOf } from './model.controller';
import { readBody } from './request/read-body';
import { Telemetry } from './telemetry/telemetry.service';

const MODEL = 'local/demo';

/** What a message request would have as its input. Free: it is not billed, and works with a spent budget. */
@Controller('v1/messages/count_tokens')
@Audience('tenant')
@ApiTags('Model APIs')
export class CountTokensController {
  constructor(
    private readonly counts: TokenCounts,
    private readonly config: Config,
    private readonly telemetry: Telemetry,
  ) {}

  @Post()
  @HttpCode(200)
  @Requires('model:invoke')
  @ApiOperation({
    summary: 'Tokens of a message request (Anthropic)',
    description:
      'Counted by the provider if it speaks the Anthropic API, else by the gateway with the tokenizer of the model; media at the most ' +
      'they can take.',
  })
  @ApiBody({
    schema: {
      type: 'object',
      properties: {
        model: { type: 'string' },
        messages: { type: 'array', items: { type: 'object', additionalProperties: true } },
      },
      additionalProperties: true,
      required: ['model', 'messages'],
      example: { model: MODEL, messages: [{ role: 'user', content: 'Hello!' }] },
    },
  })
  @ApiOkResponse({
    schema: { type: 'object', properties: { input_tokens: { type: 'integer' } }, example: { input_tokens: 9 } },
  })
  @ApiErrors(
    [
      'body_malformed',
      'body_too_large',
      'body_timeout',
      'media_type_unsupported',
      'validation_failed',
      'feature_not_supported',
      'header_required',
      'prompt_refused',
      'prompt_uninspectable',
      'thought_altered',
      'thought_foreign',
      'model_not_found',
      'model_not_allowed',
      'tenant_suspended',
      'rate_limited',
      'provider_unreachable',
      'provider_timeout',
      'provider_rejected_gateway',
      'provider_error',
      'provider_disabled',
      'provider_resting',
      'count_not_offered',
    ],
    'anthropic',
  )
  async countTokens(
    @Caller() principal: Principal,
    @Req() request: GatewayRequest,
    @Res() response: Response,
  ): Promise<void> {
    const { bodyLimitBytes, bodyTimeoutMs } = this.config.current.server;
    const { requestId: id, headers, url } = request;
    const trace = this.telemetry.begin('count_tokens', principal, id, headers);
    if (trace) request.traceId = trace.traceId;
    try {
      const body = await readBody(request, bodyLimitBytes, bodyTimeoutMs);
      const path = `/v1/messages${queryOf(url)}`;
      const told = await this.counts.count(principal, { id, wire: 'messages', path, headers, body }, trace);
      if (trace) trace.status = told.status;
      new HttpSink(response, 'messages', id).whole(told.status, told.headers, told.body);
    } catch (error) {
      trace?.failed(error);
      throw error;
    } finally {
      trace?.end();
    }
  }
}
