import { invalidField, type RouteConfig } from '@app/platform';
import { endUserOf } from './end-user';
import type { Owner } from './scope';

/**
 * One in whose budgets calls can count, as far as its name tells: a budget of any other would limit nobody, in silence.
 * @throws CodedError `validation_failed`, with the name that is meant
 */
export function countable(owner: Owner, routes: Readonly<Record<string, RouteConfig>>): Owner {
  const { scope, target } = owner;
  if (scope === 'user') refuseLongName(target);
  if (scope === 'model') refuseRoute(target, routes);
  return owner;
}

/** Calls count for an end user by the name that the ledger keeps. */
function refuseLongName(target: string): void {
  const kept = endUserOf(target);
  if (kept !== target)
    throw invalidField('target', `is too long for a name: budgets and the ledger know this end user as ${kept}`);
}

/** Calls of a route count for the model that answers, and no model does by the route's name unless a route leads to it. */
function refuseRoute(target: string, routes: Readonly<Record<string, RouteConfig>>): void {
  const modelsOf = ({ targets }: RouteConfig): string[] => targets.map(({ model }) => model);
  if (!Object.hasOwn(routes, target) || Object.values(routes).some((one) => modelsOf(one).includes(target))) return;
  const models = modelsOf(routes[target] as RouteConfig).join(', ');
  throw invalidField('target', `is a route, whose calls count for the model that answers: ${models}`);
}
