import 'reflect-metadata';
import { controllerRoutes } from '@app/auth';
import { Cohort, REQUIRES, type GatewayRequest, type Principal } from '@app/platform';
import {
  ForbiddenException,
  type CanActivate,
  type ExceptionFilter,
  type INestApplication,
  type Type,
} from '@nestjs/common';
import {
  GUARDS_METADATA,
  INTERCEPTORS_METADATA,
  PIPES_METADATA,
  ROUTE_ARGS_METADATA,
  type HttpArgumentsHost,
} from '@nestjs/common/internal';
import { ApplicationConfig } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/internal';
import type { Response } from 'express';
import { identify } from './configure-http';

/** What a handler of the model path takes: who calls, and the two ends of the connection. */
type Handler = (principal: Principal, request: GatewayRequest, response: Response) => Promise<void>;

interface Route {
  readonly controller: object;
  readonly type: Type;
  readonly handler: Handler;
}

/**
 * The way in for model calls. It does what Nest does with the routes that require `model:invoke`: their guards in their order,
 * their handler, the filter for what they throw, each found when the application starts. What it leaves out is how Express finds
 * a route, pattern after pattern, and what Nest prepares for guards, pipes and interceptors that these routes have not: a sixth
 * of the CPU of a call. Any other spelling of the path takes the common way. Those who come in one turn of the event loop are let
 * in together, which saves another tenth.
 */
export class ModelDoor {
  readonly #visits = new Cohort<Visit>((visit) => visit.begin());

  private constructor(
    private readonly routes: ReadonlyMap<string, Route>,
    private readonly guards: readonly CanActivate[],
    private readonly filter: ExceptionFilter,
  ) {}

  /** @throws Error for a route with parts that this door would pass by */
  static of(app: INestApplication): ModelDoor {
    const config = app.get(ApplicationConfig);
    const [filter, ...others] = config.getGlobalFilters();
    if (!filter || others.length > 0 || config.getGlobalInterceptors().length > 0)
      throw new Error('The model door knows of one filter and no interceptors.');
    return new ModelDoor(modelRoutes(app), config.getGlobalGuards(), filter);
  }

  /** The paths that are answered here. */
  get paths(): string[] {
    return [...this.routes.keys()];
  }

  /** Answers a model call; false if the request is none. */
  answer(request: GatewayRequest, response: Response): boolean {
    if (request.method !== 'POST') return false;
    const { url } = request;
    const query = url.indexOf('?');
    const route = this.routes.get(query < 0 ? url : url.slice(0, query));
    if (route === undefined) return false;
    this.#visits.add(new Visit(route, this.guards, this.filter, request, response));
    return true;
  }
}

/** One request on its way through the guards to its handler. */
class Visit extends ExecutionContextHost {
  #passed = 0;

  constructor(
    private readonly route: Route,
    private readonly guards: readonly CanActivate[],
    private readonly filter: ExceptionFilter,
    private readonly request: GatewayRequest,
    private readonly response: Response,
  ) {
    super([request, response], route.type, route.handler);
  }

  begin(): void {
    try {
      identify(this.request);
      this.pass();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Goes on from guard to guard, at once wherever one knows its answer. */
  private pass(): void {
    const { guards } = this;
    while (this.#passed < guards.length) {
      const verdict = (guards[this.#passed++] as CanActivate).canActivate(this) as boolean | Promise<boolean>;
      if (verdict === true) continue;
      if (verdict === false) throw new ForbiddenException();
      verdict.then(
        (isAllowed) => this.resume(isAllowed),
        (error: unknown) => this.fail(error),
      );
      return;
    }
    const { controller, handler } = this.route;
    handler
      .call(controller, this.request.principal as Principal, this.request, this.response)
      .catch((error: unknown) => this.fail(error));
  }

  private resume(isAllowed: boolean): void {
    try {
      if (!isAllowed) throw new ForbiddenException();
      this.pass();
    } catch (error) {
      this.fail(error);
    }
  }

  private fail(error: unknown): void {
    this.filter.catch(error, this);
  }

  /** Is its own host: Nest's would be given new functions each time it is asked. */
  override switchToHttp(): this & HttpArgumentsHost {
    return this as this & HttpArgumentsHost;
  }
  getRequest(): GatewayRequest {
    return this.request;
  }
  getResponse(): Response {
    return this.response;
  }
}

function modelRoutes(app: INestApplication): Map<string, Route> {
  const routes = new Map<string, Route>();
  for (const { method, path, type, controller, name, handler } of controllerRoutes(app)) {
    if (method !== 'POST' || Reflect.getMetadata(REQUIRES, handler) !== 'model:invoke') continue;
    refuseUnknownParts(type, name, handler);
    routes.set(path, { controller, type, handler: handler as unknown as Handler });
  }
  return routes;
}

function refuseUnknownParts(type: Type, name: string, handler: object): void {
  const parts = [GUARDS_METADATA, INTERCEPTORS_METADATA, PIPES_METADATA];
  const has = parts.filter((part) => Reflect.hasMetadata(part, handler) || Reflect.hasMetadata(part, type));
  const taken = Object.values(
    Reflect.getMetadata(ROUTE_ARGS_METADATA, type, name) as Record<string, { index: number }>,
  );
  if (has.length > 0 || taken.length !== 3)
    throw new Error(
      `${type.name}.${name} has parts that the model door would pass by: ${has.join(', ') || 'parameters'}.`,
    );
}
