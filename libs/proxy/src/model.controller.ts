import {
  ApiErrors,
  Audience,
  Caller,
  Config,
  Requires,
  type ErrorCode,
  type GatewayRequest,
  type Principal,
} from '@app/platform';
import { PromptLog } from '@app/prompts';
import { Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { HttpSink, type AnswerSink } from './answer/answer-sink';
import { KeptCall } from './answer/kept-call';
import { ProxyService, type Leaving } from './proxy.service';
import { readBody } from './request/read-body';
import { Telemetry } from './telemetry/telemetry.service';
import { traced } from './telemetry/traced-sink';
import { PATH_OF, type Wire } from './wire';

const ERRORS: readonly ErrorCode[] = [
  'body_malformed',
  'body_too_large',
  'body_timeout',
  'media_type_unsupported',
  'validation_failed',
  'feature_not_supported',
  'dialect_not_supported',
  'not_expressible',
  'header_required',
  'prompt_refused',
  'prompt_uninspectable',
  'answer_refused',
  'model_not_found',
  'model_not_allowed',
  'model_not_priced',
  'tenant_suspended',
  'budget_exceeded',
  'end_users_exceeded',
  'rate_limited',
  'concurrency_exceeded',
  'provider_unreachable',
  'provider_timeout',
  'provider_rejected_gateway',
  'provider_error',
  'provider_disabled',
  'provider_resting',
  'provider_busy',
  'journal_unavailable',
  'draining',
];

/** Of what was said before. */
const THOUGHTS: readonly ErrorCode[] = ['thought_masked', 'thought_altered', 'thought_foreign'];

const MODEL = { type: 'string' };

const EXAMPLE = {
  model: 'local/demo',
  max_tokens: 100,
  stream: false,
  messages: [{ role: 'user', content: 'Hello!' }],
};

/** What the gateway itself reads of a request; all else is the provider's to describe and to judge. */
const REQUEST = {
  type: 'object',
  properties: {
    model: MODEL,
    messages: { type: 'array', items: { type: 'object', additionalProperties: true } },
    max_tokens: { type: 'integer' },
    stream: { type: 'boolean' },
  },
  additionalProperties: true,
};

const RESPONSES_REQUEST = {
  type: 'object',
  properties: {
    model: MODEL,
    input: { description: 'A text, or a list of items: messages, calls of tools and their outputs, reasoning.' },
    instructions: { type: 'string' },
    max_output_tokens: { type: 'integer' },
    stream: { type: 'boolean' },
  },
  additionalProperties: true,
  required: ['model', 'input'],
  example: { model: 'local/demo', max_output_tokens: 100, stream: false, input: 'Hello!' },
};

const EMBEDDINGS_REQUEST = {
  type: 'object',
  properties: {
    model: MODEL,
    input: { description: 'A text, texts, a text as token ids, or several of these.' },
    encoding_format: { type: 'string', enum: ['float', 'base64'] },
    dimensions: { type: 'integer' },
  },
  additionalProperties: true,
  required: ['model', 'input'],
  example: { model: 'local/demo', input: ['Hello!', 'Good bye!'] },
};

/** The model APIs as their own SDKs speak them. Bodies pass as they were sent; only money and isolation are ours. */
@Controller('v1')
@Audience('tenant')
@ApiTags('Model APIs')
export class ModelController {
  constructor(
    private readonly proxy: ProxyService,
    private readonly config: Config,
    private readonly telemetry: Telemetry,
    private readonly prompts: PromptLog,
  ) {}

  @Post('chat/completions')
  @HttpCode(200)
  @Requires('model:invoke')
  @ApiOperation({
    summary: 'Chat completion (OpenAI)',
    description: 'The OpenAI chat completions API; unknown fields are passed on as sent.',
  })
  @ApiBody({
    schema: { ...REQUEST, required: ['model', 'messages'], example: EXAMPLE },
  })
  @ApiProduces('application/json', 'text/event-stream')
  @ApiResponse({
    status: 200,
    description: "The provider's answer: one JSON object, or server-sent events with `stream: true`.",
  })
  @ApiErrors([...ERRORS, ...THOUGHTS], 'openai')
  chatCompletions(
    @Caller() principal: Principal,
    @Req() request: GatewayRequest,
    @Res() response: Response,
  ): Promise<void> {
    return this.answer('chat', principal, request, response);
  }

  @Post('responses')
  @HttpCode(200)
  @Requires('model:invoke')
  @ApiOperation({
    summary: 'Response (OpenAI)',
    description:
      'The OpenAI responses API without what it keeps: `store` is always false, so the conversation is sent in `input` each time. ' +
      'Unknown fields are passed on as sent.',
  })
  @ApiBody({ schema: RESPONSES_REQUEST })
  @ApiProduces('application/json', 'text/event-stream')
  @ApiResponse({
    status: 200,
    description: "The provider's answer: one JSON object, or server-sent events with `stream: true`.",
  })
  @ApiErrors([...ERRORS, ...THOUGHTS], 'openai')
  responses(@Caller() principal: Principal, @Req() request: GatewayRequest, @Res() response: Response): Promise<void> {
    return this.answer('responses', principal, request, response);
  }

  @Post('embeddings')
  @HttpCode(200)
  @Requires('model:invoke')
  @ApiOperation({
    summary: 'Embeddings (OpenAI)',
    description: 'The OpenAI embeddings API; unknown fields are passed on as sent.',
  })
  @ApiBody({ schema: EMBEDDINGS_REQUEST })
  @ApiProduces('application/json')
  @ApiResponse({ status: 200, description: "The provider's answer: a list of vectors, as numbers or in base64." })
  @ApiErrors(ERRORS, 'openai')
  embeddings(@Caller() principal: Principal, @Req() request: GatewayRequest, @Res() response: Response): Promise<void> {
    return this.answer('embeddings', principal, request, response);
  }

  @Post('messages')
  @HttpCode(200)
  @Requires('model:invoke')
  @ApiOperation({
    summary: 'Message (Anthropic)',
    description: 'The Anthropic messages API; unknown fields, betas and `anthropic-version` are passed on as sent.',
  })
  @ApiBody({
    schema: { ...REQUEST, required: ['model', 'messages', 'max_tokens'], example: EXAMPLE },
  })
  @ApiProduces('application/json', 'text/event-stream')
  @ApiResponse({
    status: 200,
    description: "The provider's answer: one JSON object, or server-sent events with `stream: true`.",
  })
  @ApiErrors([...ERRORS, ...THOUGHTS], 'anthropic')
  messages(@Caller() principal: Principal, @Req() request: GatewayRequest, @Res() response: Response): Promise<void> {
    return this.answer('messages', principal, request, response);
  }

  private async answer(wire: Wire, principal: Principal, request: GatewayRequest, response: Response): Promise<void> {
    const { bodyLimitBytes, bodyTimeoutMs } = this.config.current.server;
    const { requestId: id, headers, url } = request;
    const trace = this.telemetry.begin(wire, principal, id, headers);
    if (trace) request.traceId = trace.traceId;
    let kept: KeptCall | null = null;
    try {
      const read = readBody(request, bodyLimitBytes, bodyTimeoutMs);
      const body = read instanceof Promise ? await read : read;
      const asked = { id, wire, path: PATH_OF[wire] + queryOf(url), headers, body };
      let sink: AnswerSink = new HttpSink(response, wire, id);
      if (trace) sink = traced(sink, trace);
      const mostBytes = this.prompts.mostBytesOf(principal);
      if (mostBytes > 0) sink = kept = new KeptCall(this.prompts, principal, asked, sink, mostBytes);
      await this.proxy.answer(principal, asked, sink, new Reader(response), { trace, kept });
    } catch (error) {
      trace?.failed(error);
      throw error;
    } finally {
      trace?.end();
      kept?.keep();
    }
  }
}

/** With its question mark, or empty. */
export const queryOf = (url: string): string => {
  const at = url.indexOf('?');
  return at < 0 ? '' : url.slice(at);
};

/** The client at the other end of a response. */
class Reader implements Leaving {
  constructor(private readonly response: Response) {}

  tell(exchange: { cut(why: 'client left'): void }): void {
    if (this.response.destroyed) exchange.cut('client left');
    else this.response.on('close', () => exchange.cut('client left'));
  }
}
