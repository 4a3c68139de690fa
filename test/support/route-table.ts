import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** One line of the committed route table. */
export interface TableRoute {
  readonly method: string;
  /** With its parameters: `/api/v1/tenant/tokens/:tokenId`. */
  readonly path: string;
  readonly audience: 'admin' | 'tenant' | 'public';
  /** The permission it demands or, of a public route, why it demands none. */
  readonly access: string;
  /** `METHOD path`, the name a test's case for it has. */
  readonly name: string;
}

export const ROUTE_TABLE = resolve(__dirname, '../boundaries/routes.txt');

/** The routes as committed; `routes.spec.ts` holds them equal to the gateway's. */
export function committedRoutes(): TableRoute[] {
  return readFileSync(ROUTE_TABLE, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [method = '', path = '', audience = '', ...access] = line.split(/\s{2,}/);
      return {
        method,
        path,
        audience: audience as TableRoute['audience'],
        access: access.join('  '),
        name: `${method} ${path}`,
      };
    });
}

/**
 * The cases for exactly these routes: fails when a route has none, so that a new one cannot slip past the test, and when
 * a case's route is gone.
 */
export function casesFor<Case>(
  routes: readonly TableRoute[],
  cases: Readonly<Record<string, Case>>,
): (readonly [string, TableRoute, Case])[] {
  const missing = routes.filter(({ name }) => !(name in cases)).map(({ name }) => name);
  const stale = Object.keys(cases).filter((name) => !routes.some((route) => route.name === name));
  if (missing.length > 0) throw new Error(`Write a case for each of these routes:\n  ${missing.join('\n  ')}`);
  if (stale.length > 0) throw new Error(`These cases have no route any more:\n  ${stale.join('\n  ')}`);
  return routes.map((route) => [route.name, route, cases[route.name] as Case]);
}
