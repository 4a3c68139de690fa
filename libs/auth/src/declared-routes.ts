import { RequestMethod, type INestApplication, type Type } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/internal';
import { MetadataScanner, ModulesContainer } from '@nestjs/core';
import type { Express } from 'express';
import { accessOf, type Access } from './access';

/** One row of the route table. */
export interface DeclaredRoute {
  readonly method: string;
  readonly path: string;
  /** `Controller.handler`; for a route that no controller has, `outside`. */
  readonly handler: string;
  readonly access: Access;
}

/** Routes mounted beside Nest, such as the API's documentation: `GET /docs` and why anybody may call it. */
export type OutsideRoutes = Readonly<Record<string, string>>;

/**
 * Every route of an initialised application, by path: what the controllers declare, and what is mounted in Express without
 * any controller. Middleware is not a route and is not seen.
 */
export function declaredRoutes(app: INestApplication, outside: OutsideRoutes = {}): DeclaredRoute[] {
  const routes = declared(app);
  const known = new Set(routes.map(({ method, path }) => `${method} ${path}`));
  for (const route of mountedRoutes(app)) {
    if (known.has(route) || known.has(`ALL ${route.slice(route.indexOf(' ') + 1)}`)) continue;
    const [method, path] = route.split(' ') as [string, string];
    const reason = outside[route];
    const access: Access =
      reason === undefined ? { kind: 'undeclared', problem: 'belongs to no controller' } : { kind: 'public', reason };
    routes.push({ method, path, handler: 'outside', access });
  }
  return routes.sort((a, b) => compare(a.path, b.path) || compare(a.method, b.method));
}

/** @throws Error naming every route that does not say, or contradicts itself about, who may call it */
export function assertRoutesDeclared(app: INestApplication, outside: OutsideRoutes = {}): void {
  const faults = declaredRoutes(app, outside).flatMap(({ method, path, handler, access }) =>
    access.kind === 'undeclared' ? [`  ${method} ${path} (${handler}) ${access.problem}`] : [],
  );
  if (faults.length > 0) throw new Error(`Routes without a sound access declaration:\n${faults.join('\n')}`);
}

function declared(app: INestApplication): DeclaredRoute[] {
  return controllerRoutes(app).map(({ method, path, type, name, handler }) => ({
    method,
    path,
    handler: `${type.name}.${name}`,
    access: accessOf(type, handler),
  }));
}

/** A handler of a controller, and where it is found. */
export interface ControllerRoute {
  /** `GET`, `POST`, … */
  readonly method: string;
  readonly path: string;
  readonly type: Type;
  readonly controller: object;
  readonly name: string;
  readonly handler: () => unknown;
}

/** What the controllers of an initialised application declare, in no order. */
export function controllerRoutes(app: INestApplication): ControllerRoute[] {
  const scanner = new MetadataScanner();
  const routes: ControllerRoute[] = [];
  for (const module of app.get(ModulesContainer).values())
    for (const { metatype, instance } of module.controllers.values()) {
      if (typeof metatype !== 'function' || !metatype.prototype) continue;
      const type = metatype as Type;
      const prototype = type.prototype as Record<string, () => unknown>;
      for (const name of scanner.getAllMethodNames(prototype)) {
        const handler = prototype[name] as () => unknown;
        const method: unknown = Reflect.getMetadata(METHOD_METADATA, handler);
        if (typeof method !== 'number') continue;
        for (const path of pathsOf(type, handler))
          routes.push({
            ...{ method: RequestMethod[method] as string, path, type, name, handler },
            controller: instance,
          });
      }
    }
  return routes;
}

function pathsOf(controller: object, handler: object): string[] {
  const parts = (target: object): string[] => [Reflect.getMetadata(PATH_METADATA, target) as string | string[]].flat();
  const trim = (path: string): string => path.replace(/^\/+|\/+$/g, '');
  return parts(controller).flatMap((prefix) =>
    parts(handler).map((path) => `/${[trim(prefix), trim(path)].filter((part) => part !== '').join('/')}`),
  );
}

function mountedRoutes(app: INestApplication): string[] {
  const express = app.getHttpAdapter().getInstance() as Express;
  return express.router.stack.flatMap(({ route }) => {
    if (route === undefined) return [];
    const methods = new Set(route.stack.map((layer) => (layer.method ?? 'all').toUpperCase()));
    return [...methods].map((method) => `${method} ${route.path}`);
  });
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
