import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { ERRORS, type ErrorCode, type ErrorEntry } from './catalogue';
import { CodedError } from './coded-error';
import { dialectOf, renderError, type Dialect } from './render';

const REQUEST = 'req_0199f3a0c0de7000800000000000cafe';
const CODES = Object.keys(ERRORS) as ErrorCode[];
const DIALECTS: readonly Dialect[] = ['openai', 'anthropic', 'problem'];

type ErrorClass = new (...parts: never[]) => Error;

const entryOf = (code: ErrorCode): ErrorEntry => ERRORS[code];

const bodyOf = (error: CodedError, dialect: Dialect): Record<string, unknown> =>
  JSON.parse(renderError(error, dialect, REQUEST).body) as Record<string, unknown>;

const openaiError = (error: CodedError) => {
  const { status, headers, body } = renderError(error, 'openai', REQUEST);
  return OpenAI.APIError.generate(status, JSON.parse(body) as object, undefined, new Headers(headers));
};

const anthropicError = (error: CodedError) => {
  const { status, headers, body } = renderError(error, 'anthropic', REQUEST);
  return Anthropic.APIError.generate(status, JSON.parse(body) as object, undefined, new Headers(headers));
};

describe.each(CODES)('%s', (code) => {
  const entry = entryOf(code);

  it('says what is wrong and what to do, in whole sentences', () => {
    expect(entry.title).toMatch(/^[A-Z].*\.$/);
    expect(entry.remedy).toMatch(/^[A-Z].*\.$/);
    expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
  });

  it.each(DIALECTS)('has its status and headers in the dialect %s', (dialect) => {
    const { status, headers } = renderError(new CodedError(code), dialect, REQUEST);
    expect(status).toBe(entry.status);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(headers['content-type']).toBe(dialect === 'problem' ? 'application/problem+json' : 'application/json');
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-request-id': REQUEST, 'request-id': REQUEST });
    expect(headers['x-should-retry']).toBe(entry.retry === false ? 'false' : undefined);
    expect(headers['www-authenticate']).toBe(status === 401 ? 'Bearer' : undefined);
  });

  it('is worth another try where it says so itself', () => {
    const error = new CodedError(code, undefined, { headers: { 'x-should-retry': 'true' } });
    expect(renderError(error, 'openai', REQUEST).headers['x-should-retry']).toBe('true');
  });

  it('is read by the OpenAI SDK', () => {
    const error = openaiError(new CodedError(code, 'In this case.'));
    expect(error).toMatchObject({
      status: entry.status,
      type: entry.openai.type,
      code: entry.openai.code ?? code,
      requestID: REQUEST,
      error: expect.objectContaining({ gateway_code: code }),
    });
    expect(error.message).toBe(`${entry.status} In this case. ${entry.remedy}`);
  });

  it('is read by the Anthropic SDK', () => {
    const error = anthropicError(new CodedError(code, 'In this case.'));
    expect(error).toMatchObject({ status: entry.status, type: entry.anthropic, requestID: REQUEST });
    expect(error.error).toMatchObject({
      type: 'error',
      error: { message: `In this case. ${entry.remedy}`, gateway_code: code },
      request_id: REQUEST,
    });
  });

  it('is a problem of RFC 9457', () => {
    expect(bodyOf(new CodedError(code), 'problem')).toEqual({
      type: `urn:openclawmu:error:${code}`,
      title: entry.title,
      status: entry.status,
      detail: `${entry.title} ${entry.remedy}`,
      code,
      requestId: REQUEST,
    });
  });
});

describe('the SDKs throw the class their users catch', () => {
  it.each<[ErrorCode, ErrorClass, ErrorClass]>([
    ['credentials_invalid', OpenAI.AuthenticationError, Anthropic.AuthenticationError],
    ['tenant_suspended', OpenAI.PermissionDeniedError, Anthropic.PermissionDeniedError],
    ['model_not_found', OpenAI.NotFoundError, Anthropic.NotFoundError],
    ['body_malformed', OpenAI.BadRequestError, Anthropic.BadRequestError],
    ['idempotency_conflict', OpenAI.UnprocessableEntityError, Anthropic.UnprocessableEntityError],
    ['tenant_exists', OpenAI.ConflictError, Anthropic.ConflictError],
    ['budget_exceeded', OpenAI.RateLimitError, Anthropic.RateLimitError],
    ['internal_error', OpenAI.InternalServerError, Anthropic.InternalServerError],
    ['provider_error', OpenAI.InternalServerError, Anthropic.InternalServerError],
    ['draining', OpenAI.InternalServerError, Anthropic.InternalServerError],
  ])('%s', (code, openai, anthropic) => {
    expect(openaiError(new CodedError(code))).toBeInstanceOf(openai);
    expect(anthropicError(new CodedError(code))).toBeInstanceOf(anthropic);
  });
});

describe('a client does not repeat in vain', () => {
  // These pass by themselves, and their answer says when.
  const passing: ErrorCode[] = ['rate_limited', 'concurrency_exceeded'];

  it.each(CODES.filter((code) => entryOf(code).status < 500 && !passing.includes(code)))('%s says so', (code) => {
    expect(entryOf(code).retry).toBe(false);
  });

  it.each<ErrorCode>([
    'provider_unreachable',
    'provider_timeout',
    'provider_error',
    'database_unavailable',
    'draining',
  ])('but may repeat %s', (code) => expect(entryOf(code).retry).toBeUndefined());

  it('after a spent budget, in the words each SDK knows', () => {
    const spent = new CodedError('budget_exceeded', undefined, { headers: { 'retry-after': '60' } });
    expect(openaiError(spent)).toMatchObject({ type: 'insufficient_quota', code: 'insufficient_quota' });
    expect(anthropicError(spent)).toMatchObject({ type: 'billing_error' });
    expect(renderError(spent, 'openai', REQUEST).headers).toMatchObject({
      'retry-after': '60',
      'x-should-retry': 'false',
    });
  });
});

describe('details', () => {
  const facts = { scope: 'tenant', limit: '12.50', fields: [{ field: 'id', problem: 'too long' }] };
  const error = new CodedError('budget_exceeded', 'Too much.', { details: facts });

  it('stand where each dialect’s clients look', () => {
    expect(bodyOf(error, 'openai').error).toMatchObject(facts);
    expect(bodyOf(error, 'anthropic').error).toMatchObject(facts);
    expect(bodyOf(error, 'problem')).toMatchObject(facts);
  });

  it.each(DIALECTS)('displace nothing of the dialect %s', (dialect) => {
    const names = ['type', 'message', 'code', 'gateway_code', 'title', 'status', 'detail', 'requestId', 'param'];
    const details = Object.fromEntries(names.map((name) => [name, 'displaced']));
    const meant = bodyOf(new CodedError('tenant_exists', 'Taken.'), dialect);
    const crowded = bodyOf(new CodedError('tenant_exists', 'Taken.', { details }), dialect);
    expect(crowded).toMatchObject(meant);
  });
});

describe('what is for the log only', () => {
  it.each(DIALECTS)('is not in a body of the dialect %s', (dialect) => {
    const error = new CodedError('database_unavailable', undefined, { cause: new Error('password hunter2') });
    const { body, headers } = renderError(error, dialect, REQUEST);
    expect(body + JSON.stringify(headers)).not.toMatch(/hunter2|cause|stack/);
    expect(error.cause).toBeInstanceOf(Error);
  });
});

describe('dialectOf', () => {
  it.each<[string, Dialect]>([
    ['/v1/chat/completions', 'openai'],
    ['/v1/responses', 'openai'],
    ['/v1/embeddings', 'openai'],
    ['/v1/models', 'openai'],
    ['/v1/unheard-of', 'openai'],
    ['/v1', 'openai'],
    ['/v1/messages', 'anthropic'],
    ['/v1/messages/count_tokens', 'anthropic'],
    ['/v1/messages?beta=true', 'anthropic'],
    ['/chat/completions', 'openai'],
    ['/messages', 'anthropic'],
    ['/v1/v1/messages', 'anthropic'],
    ['/messagesmith', 'problem'],
    ['/api/v1/admin/tenants', 'problem'],
    ['/api/v1/messages', 'problem'],
    ['/v10/messages', 'problem'],
    ['/health', 'problem'],
    ['/', 'problem'],
    ['', 'problem'],
  ])('%s speaks %s', (path, dialect) => expect(dialectOf(path)).toBe(dialect));

  it('tells the two kinds of client of /v1/models apart', () => {
    const headers = { 'anthropic-version': '2023-06-01' };
    expect(dialectOf('/v1/models', headers)).toBe('anthropic');
    expect(dialectOf('/v1/models/claude', headers)).toBe('anthropic');
    expect(dialectOf('/v1/chat/completions', headers)).toBe('openai');
    expect(dialectOf('/api/v1/admin/models', headers)).toBe('problem');
  });
});
