import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { join, resolve } from 'node:path';
import {
  Catch,
  Controller,
  Get,
  Module,
  Post,
  Body,
  type ArgumentsHost,
  type ExceptionFilter,
  type INestApplication,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Response } from 'express';
import {
  Audience,
  Caller,
  ChangeFeed,
  CodedError,
  Config,
  newId,
  PlatformModule,
  Principal,
  Public,
  renderError,
  Requires,
  type GatewayRequest,
} from '@app/platform';
import { TenantsService, TokensService } from '@app/tenancy';
import { openGatewayDatabase, silentLog, type GatewayDatabase } from '../../../test/support/gateway-database';
import { adminPrincipal } from '../../../test/support/principals';
import { AuthModule } from './auth.module';
import { assertRoutesDeclared, declaredRoutes } from './declared-routes';
import { JobPrincipalMint } from './job-principals';

/** Shows whom the guards let through, and says nothing else. */
@Controller('probe')
class Probe {
  @Get('public') @Public('a probe') open(): object {
    return { through: true };
  }
  @Get('undeclared') undeclared(): object {
    return { through: true };
  }
  @Get('both') @Public('a probe') @Requires('tenants:read') both(): object {
    return { through: true };
  }
  @Get('model') @Audience('tenant') @Requires('model:invoke') model(@Caller() caller: Principal): Principal {
    return caller;
  }
  @Get('owner') @Audience('tenant') @Requires('tenant:tokens') owner(@Caller() caller: Principal): Principal {
    return caller;
  }
  @Get('admin') @Audience('admin') @Requires('tenants:write') admin(@Caller() caller: Principal): Principal {
    return caller;
  }
  @Get('finance') @Audience('admin') @Requires('budgets:write') finance(@Caller() caller: Principal): Principal {
    return caller;
  }
}

@Controller('api/v1/probe')
class BodyProbe {
  @Post('body') @Audience('admin') @Requires('tenants:write') body(@Body() body: unknown): object {
    return { body };
  }
  @Post('own') @Audience('tenant') @Requires('tenant:tokens') own(@Body() body: unknown): object {
    return { body };
  }
}

@Catch()
class Render implements ExceptionFilter {
  catch(thrown: unknown, host: ArgumentsHost): void {
    const error = thrown instanceof CodedError ? thrown : new CodedError('internal_error', String(thrown));
    const { status, headers, body } = renderError(error, 'problem', 'req_test');
    host.switchToHttp().getResponse<Response>().writeHead(status, headers).end(body);
  }
}

const keyOf = (name: string, digit: string): string => `ak_${name}_${digit.repeat(32)}`;
const root = keyOf('root', '1');
const finance = keyOf('finance', '2');
const admin = adminPrincipal();

let directory: string;
let gateway: GatewayDatabase;
let app: INestApplication;
let config: Config;
let base: string;
/** Told of each request whose body is about to be read. */
let onReading: () => void = () => undefined;
const keys: Record<string, string> = {};
const ids: Record<string, string> = {};

function writeConfig(adminKeys: Readonly<Record<string, string>>): void {
  const entries = Object.entries(adminKeys).map(
    ([key, role]) =>
      `  - { name: ${key.split('_')[1]}, role: ${role}, hash: "sha256:${createHash('sha256').update(key).digest('hex')}" }`,
  );
  writeFileSync(join(directory, 'openclawmu.yaml'), `adminKeys:\n${entries.join('\n')}\n`);
}

async function boot(controllers: (new () => unknown)[]): Promise<INestApplication> {
  const platform = PlatformModule.forRoot({
    config,
    log: silentLog,
    databaseUrl: gateway.urls.gatewayUrl,
    jobPrincipals: new JobPrincipalMint(),
  });
  @Module({ imports: [platform, AuthModule], controllers })
  class TestApp {}
  const created = await NestFactory.create(TestApp, { logger: false, bodyParser: false });
  created.use((request: GatewayRequest, _: unknown, next: () => void) => {
    request.requestId = newId('req');
    request.on('newListener', (event) => event === 'data' && onReading());
    next();
  });
  created.useGlobalFilters(new Render());
  return created;
}

beforeAll(async () => {
  directory = mkdtempSync(join(resolve(__dirname, '../../../.tmp'), 'auth-'));
  writeConfig({ [root]: 'admin', [finance]: 'finance' });
  config = Config.load(join(directory, 'openclawmu.yaml'), {});
  gateway = await openGatewayDatabase();
  app = await boot([Probe, BodyProbe]);
  await app.listen(0, '127.0.0.1');
  base = (await app.getUrl()).replace('[::1]', '127.0.0.1');
  await app.get(ChangeFeed).start();

  const [tenants, tokens] = [app.get(TenantsService), app.get(TokensService)];
  for (const id of ['a', 'paused']) await tenants.create(admin, { id });
  const create = async (name: string, tenant: string, role: 'owner' | 'member'): Promise<void> => {
    const made = await tokens.create(admin, tenant, { label: name, role, allowedModels: ['claude-*'] });
    [keys[name], ids[name]] = [made.token, made.id];
  };
  await create('owner', 'a', 'owner');
  await create('member', 'a', 'member');
  await create('revoked', 'a', 'owner');
  await create('paused', 'paused', 'owner');
  await tokens.revoke(admin, 'a', ids['revoked'] as string);
  await tenants.suspend(admin, 'paused');
  Object.assign(keys, { root, finance });
});
afterAll(async () => {
  await app.get(ChangeFeed).stop();
  await app.close();
  await gateway.close();
  rmSync(directory, { recursive: true });
});

async function call(path: string, headers: Record<string, string> = {}, init: RequestInit = {}) {
  const response = await fetch(`${base}${path}`, { ...init, headers });
  const body = (await response.json()) as Record<string, unknown>;
  return { status: response.status, code: body['code'] as string | undefined, body, headers: response.headers };
}
const bearer = (key: string | undefined): Record<string, string> => ({ authorization: `Bearer ${key}` });

const NOBODY = ['none', 'unknown admin', 'unknown token', 'no key at all', 'revoked'];
const presented = (who: string): Record<string, string> => {
  switch (who) {
    case 'none':
      return {};
    case 'unknown admin':
      return bearer(keyOf('root', '9'));
    case 'unknown token':
      return bearer(`tk_a_${'0'.repeat(32)}`);
    case 'no key at all':
      return bearer('sk-something');
    default:
      return bearer(keys[who]);
  }
};

/** Who gets what: the whole matrix, one row a route. */
const through: Readonly<Record<string, readonly string[]>> = {
  '/probe/model': ['owner', 'member'],
  '/probe/owner': ['owner'],
  '/probe/admin': ['root'],
  '/probe/finance': ['root', 'finance'],
  '/probe/undeclared': [],
  '/probe/both': [],
};
const matrix = Object.entries(through).flatMap(([path, allowed]) =>
  [...NOBODY, 'paused', 'owner', 'member', 'root', 'finance'].map((who) => {
    if (allowed.includes(who)) return [path, who, 200, undefined] as const;
    if (who === 'none') return [path, who, 401, 'credentials_missing'] as const;
    if (NOBODY.includes(who)) return [path, who, 401, 'credentials_invalid'] as const;
    return [path, who, 403, who === 'paused' ? 'tenant_suspended' : 'permission_denied'] as const;
  }),
);

test.each(matrix)('%s called by %s: %d %s', async (path, who, status, code) => {
  // Twice, because a known token takes another way than a new one.
  for (const _ of [1, 2]) {
    const answer = await call(path, presented(who));
    expect({ status: answer.status, code: answer.code }).toEqual({ status, code });
    if (status === 401) expect(answer.headers.get('x-should-retry')).toBe('false');
    if (status !== 200) expect(JSON.stringify(answer.body)).not.toContain('through');
  }
});

test.each([...NOBODY, 'paused', 'root'])('a public route asks nobody, not even %s', async (who) => {
  expect((await call('/probe/public', presented(who))).body).toEqual({ through: true });
});

test('a key of the wrong kind is told which kind the route needs', async () => {
  expect((await call('/probe/admin', bearer(keys['owner']))).body['detail']).toContain('an admin key (ak_…)');
  expect((await call('/probe/model', bearer(root))).body['detail']).toContain("a tenant's token (tk_…)");
});

test('the principal says who, with which models, and where from', async () => {
  const origin = { ip: '127.0.0.1', requestId: expect.stringMatching(/^req_/) };
  expect((await call('/probe/model', { 'x-api-key': keys['member'] as string })).body).toMatchObject({
    kind: 'tenant',
    id: ids['member'],
    tenantId: 'a',
    label: 'member',
    allowedModels: ['claude-*'],
    origin: { ...origin, via: 'api' },
  });
  const viaCli = { ...bearer(finance), 'x-openclawmu-client': 'cli' };
  expect((await call('/probe/finance', viaCli)).body).toMatchObject({
    kind: 'admin',
    id: 'finance',
    tenantId: null,
    origin: { ...origin, via: 'cli' },
  });
  const impostor = { ...bearer(finance), 'x-openclawmu-client': 'job' };
  expect((await call('/probe/finance', impostor)).body).toMatchObject({ origin: { via: 'api' } });
});

test('admin keys follow the configuration at once', async () => {
  const next = keyOf('next', '3');
  expect((await call('/probe/admin', bearer(next))).status).toBe(401);
  writeConfig({ [next]: 'admin' });
  config.reload();
  expect((await call('/probe/admin', bearer(next))).status).toBe(200);
  expect((await call('/probe/admin', bearer(root))).status).toBe(401);
  writeConfig({ [root]: 'admin', [finance]: 'finance' });
  config.reload();
  expect((await call('/probe/admin', bearer(root))).status).toBe(200);
});

test('a token revoked here is refused here within a second', async () => {
  const tokens = app.get(TokensService);
  const made = await tokens.create(admin, 'a', { label: 'short-lived' });
  expect((await call('/probe/model', bearer(made.token))).status).toBe(200);
  await tokens.revokeAny(admin, made.token);
  const deadline = Date.now() + 2_000;
  while ((await call('/probe/model', bearer(made.token))).status !== 401) expect(Date.now()).toBeLessThan(deadline);
});

test('a body is read after the guards, never for a caller that they refuse', async () => {
  const post = (key: string, body: unknown, type = 'application/json') =>
    call('/api/v1/probe/body', { ...bearer(key), 'content-type': type }, { method: 'POST', body: body as string });
  expect((await post(root, '{"a":[1]}')).body).toEqual({ body: { a: [1] } });
  expect((await post(root, undefined)).body).toEqual({});
  expect((await post(root, '{"a":')).code).toBe('body_malformed');
  expect((await post(root, 'a=1', 'application/x-www-form-urlencoded')).code).toBe('media_type_unsupported');
  expect((await post(root, `{"a":"${'x'.repeat(1_048_576)}"}`)).code).toBe('body_too_large');
  expect((await post(finance, '{"a":')).code).toBe('permission_denied');
  expect((await post(keyOf('root', '9'), '{"a":')).code).toBe('credentials_invalid');
});

/** Sends the beginning of a body, and resolves when the gateway has let the caller in and waits for the rest. */
async function beginBody(path: string, key: string): Promise<ClientRequest> {
  const reading = new Promise<void>((resolve) => (onReading = resolve));
  const headers = { ...bearer(key), 'content-type': 'application/json' };
  const request = httpRequest(`${base}${path}`, { method: 'POST', headers });
  request.write('{"a":');
  await reading;
  return request;
}

async function endBody(request: ClientRequest): Promise<number | undefined> {
  request.end('1}');
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  answer.resume();
  return answer.statusCode;
}

test('a key that ends while its body is on the way does nothing more', async () => {
  const tokens = app.get(TokensService);
  const made = await tokens.create(admin, 'a', { label: 'leaked', role: 'owner' });
  const next = keyOf('next', '3');
  writeConfig({ [root]: 'admin', [finance]: 'finance', [next]: 'admin' });
  config.reload();
  const begun = [
    await beginBody('/api/v1/probe/own', made.token),
    await beginBody('/api/v1/probe/own', made.token),
    await beginBody('/api/v1/probe/body', next),
    await beginBody('/api/v1/probe/body', root),
  ];
  expect(await endBody(begun[0] as ClientRequest)).toBe(201);
  await tokens.revokeAny(admin, made.token);
  // The one is gone, the other may less than when it came.
  writeConfig({ [root]: 'finance', [finance]: 'finance' });
  config.reload();
  const deadline = Date.now() + 2_000;
  while ((await call('/probe/model', bearer(made.token))).status !== 401) expect(Date.now()).toBeLessThan(deadline);
  expect(await Promise.all(begun.slice(1).map(endBody))).toEqual([401, 401, 403]);
  writeConfig({ [root]: 'admin', [finance]: 'finance' });
  config.reload();
});

test('the real routes of tenancy work through the guards', async () => {
  const json = { 'content-type': 'application/json' };
  const reserved = { method: 'PATCH', body: '{"settings":{"apiKey":"x"}}' };
  expect(await call('/api/v1/tenant', { ...bearer(keys['owner']), ...json }, reserved)).toMatchObject({
    status: 400,
    code: 'setting_reserved',
  });
  expect((await call('/api/v1/tenant', bearer(keys['member']))).body).toMatchObject({ id: 'a' });
  expect((await call('/api/v1/tenant/tokens', bearer(keys['member']))).code).toBe('permission_denied');
  const leaked = { method: 'POST', body: JSON.stringify({ token: `tk_a_${'0'.repeat(32)}` }) };
  expect((await call('/api/v1/admin/tokens/revoke', { ...bearer(root), ...json }, leaked)).code).toBe(
    'token_not_found',
  );
});

test('every route is listed with what it declares; unsound ones are named', () => {
  const routes = declaredRoutes(app);
  const table = routes.map(({ method, path, handler, access }) => [method, path, handler, access.kind].join(' '));
  expect(table).toContain('POST /api/v1/admin/tenants/:tenantId/tokens TokensAdminController.createToken guarded');
  expect(table).toContain('GET /api/v1/tenant OwnTenantController.showOwnTenant guarded');
  expect(table).toContain('GET /probe/public Probe.open public');
  expect(table).toEqual([...new Set(table)]);
  expect(routes.filter(({ access }) => access.kind === 'undeclared').map(({ path }) => path)).toEqual([
    '/probe/both',
    '/probe/undeclared',
  ]);
  expect(() => assertRoutesDeclared(app)).toThrow(/GET \/probe\/undeclared \(Probe\.undeclared\) has neither/);
  expect(() => assertRoutesDeclared(app)).toThrow(/GET \/probe\/both \(Probe\.both\) is both/);
});

test('a route mounted past the controllers has to be named too', async () => {
  const other = await boot([]);
  other.getHttpAdapter().get('/docs', (_: unknown, response: Response) => void response.end());
  await other.init();
  expect(() => assertRoutesDeclared(other)).toThrow('GET /docs (outside) belongs to no controller');
  expect(() => assertRoutesDeclared(other, { 'GET /docs': 'documentation' })).not.toThrow();
  await other.close();
});
