import { Audience, CodedError, Requires, type GatewayRequest } from '@app/platform';
import {
  Catch,
  Controller,
  Get,
  Injectable,
  Module,
  Post,
  Req,
  Res,
  UseGuards,
  UseInterceptors,
  type ArgumentsHost,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type INestApplication,
  type Type,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, NestFactory } from '@nestjs/core';
import type { Response } from 'express';
import { of } from 'rxjs';
import { ModelDoor } from './model-door';

const seen: string[] = [];
/** What a guard answers, by its name. */
let verdicts: Record<string, () => boolean | Promise<boolean>> = {};

class Guard implements CanActivate {
  constructor(private readonly name: string) {}
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const { url } = context.switchToHttp().getRequest<GatewayRequest>();
    seen.push(`${this.name} ${context.getClass().name}.${context.getHandler().name} ${url}`);
    return verdicts[this.name]?.() ?? true;
  }
}

@Catch()
class Filter implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): void {
    seen.push(`filter ${(error as Error).message} ${typeof host.switchToHttp().getResponse()}`);
  }
}

@Controller('v1')
@Audience('tenant')
class Models {
  readonly answer = 'answered';
  @Post('chat/completions')
  @Requires('model:invoke')
  async chat(@Req() _: unknown, @Req() request: GatewayRequest, @Res() _response: Response): Promise<void> {
    await Promise.resolve();
    if (request.url.endsWith('?fail')) throw new Error('handler failed');
    seen.push(this.answer);
  }
  @Get('models')
  @Requires('model:invoke')
  list(): void {
    seen.push('listed');
  }
}

const guards = ['first', 'second'].map((name) => ({ provide: APP_GUARD, useFactory: () => new Guard(name) }));
const apps: INestApplication[] = [];

async function appOf(controller: Type, providers: object[] = []): Promise<INestApplication> {
  @Module({
    controllers: [controller],
    providers: [...guards, { provide: APP_FILTER, useClass: Filter }, ...(providers as [])],
  })
  class Application {}
  const app = await NestFactory.create(Application, { logger: false });
  apps.push(app);
  return app.init();
}

let door: ModelDoor;
beforeAll(async () => (door = ModelDoor.of(await appOf(Models))));
afterAll(() => Promise.all(apps.map((app) => app.close())));
beforeEach(() => {
  verdicts = {};
  seen.length = 0;
});

/** What happened on a request's way, or null if the door does not know it. */
async function visit(url: string, method = 'POST'): Promise<readonly string[] | null> {
  const request = { method, url, headers: { host: 'h' }, httpVersion: '1.1' };
  if (!door.answer(request as unknown as GatewayRequest, {} as Response)) return null;
  await new Promise(setImmediate);
  return [...seen];
}

const PATH = '/v1/chat/completions';
const passed = (url = PATH): string[] => [`first Models.chat ${url}`, `second Models.chat ${url}`];

test('goes through the guards in their order to the handler', async () => {
  expect(door.paths).toEqual([PATH]);
  expect(await visit(PATH)).toEqual([...passed(), 'answered']);
  seen.length = 0;
  expect(await visit(`${PATH}?beta=true`)).toEqual([...passed(`${PATH}?beta=true`), 'answered']);
});

test('waits for a guard that has to look something up', async () => {
  verdicts = { first: () => Promise.resolve(true), second: () => Promise.resolve(true) };
  expect(await visit(PATH)).toEqual([...passed(), 'answered']);
});

test.each<[string, () => boolean | Promise<boolean>, string]>([
  ['says no', () => false, 'Forbidden'],
  ['says no later', () => Promise.resolve(false), 'Forbidden'],
  [
    'throws',
    () => {
      throw new CodedError('credentials_invalid');
    },
    new CodedError('credentials_invalid').message,
  ],
  ['throws later', () => Promise.reject(new Error('later')), 'later'],
])('a guard that %s ends the way in the filter', async (_, verdict, message) => {
  verdicts = { first: verdict };
  expect(await visit(PATH)).toEqual([passed()[0], `filter ${message} object`]);
});

test('what the handler throws goes to the filter, and so does a target that is none', async () => {
  expect((await visit(`${PATH}?fail`))?.at(-1)).toBe('filter handler failed object');
  seen.length = 0;
  expect(await visit(`${PATH}?%00`)).toEqual([expect.stringMatching(/^filter .*NUL/)]);
});

test.each([
  ['/v1/models', 'GET'],
  [PATH, 'GET'],
  [`${PATH}/`, 'POST'],
  ['/V1/chat/completions', 'POST'],
  [`http://elsewhere${PATH}`, 'POST'],
])('leaves %s %s to the common way', async (url, method) => {
  expect(await visit(url, method)).toBeNull();
});

describe('refuses to open', () => {
  const Nothing = { intercept: () => of(1) };

  test('beside an interceptor for all', async () => {
    const app = await appOf(Models, [{ provide: APP_INTERCEPTOR, useValue: Nothing }]);
    expect(() => ModelDoor.of(app)).toThrow('no interceptors');
  });

  @Injectable()
  class Own implements CanActivate {
    canActivate = (): boolean => true;
  }
  @Controller('v1')
  @UseGuards(Own)
  class Guarded extends Models {}
  @Controller('v1')
  class Intercepted {
    @Post('messages')
    @Requires('model:invoke')
    @UseInterceptors(Nothing)
    messages(@Req() _: unknown, @Req() __: unknown, @Res() ___: unknown): void {}
  }
  @Controller('v1')
  class Short {
    @Post('messages')
    @Requires('model:invoke')
    messages(@Req() _: unknown): void {}
  }
  test.each([
    ['a guard of its own', Guarded, '__guards__'],
    ['an interceptor of its own', Intercepted, '__interceptors__'],
    ['other parameters', Short, 'parameters'],
  ])('for a route with %s', async (_, controller, part) => {
    const app = await appOf(controller);
    expect(() => ModelDoor.of(app)).toThrow(part);
  });
});
