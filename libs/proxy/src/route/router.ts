import type { ModelEntry } from '@app/billing';
import { CodedError, matchesPattern, type Principal, type RouteConfig } from '@app/platform';
import type { ModelRequest } from '../request/model-request';
import type { RequestFacts } from '../request/request-facts';
import { PATH_OF, WIRES, wireTo, type ProviderWire, type Wire } from '../wire';
import type { RetryRules } from './attempts';
import { stickyKey } from './sticky-key';
import { orderOf } from './target-order';

/** One way to answer a request: which model of which provider. */
export interface Candidate {
  readonly provider: string;
  /** Its public name is what is billed if it answers. */
  readonly model: ModelEntry;
  /** The name the provider knows the model by. */
  readonly upstreamModel: string;
  /** What it is asked in: the request's own wire, or the one that the request is translated to. */
  readonly wire: ProviderWire;
}

/** Whom to ask, in order. */
export interface Plan {
  /** The name the caller used, of a model or a route; it is what is allowed. */
  readonly publicModel: string;
  readonly candidates: readonly [Candidate, ...Candidate[]];
  /** How a route's calls are tried; null for a model's, which are tried as its provider's settings say. */
  readonly rules: RetryRules | null;
}

export interface RouteTable {
  /** By this name; a route goes before a model. */
  route(name: string): RouteConfig | undefined;
  model(name: string): ModelEntry | undefined;
  /** The wires a provider answers on, or `undefined` when it is not configured. */
  wiresOf(provider: string): readonly ProviderWire[] | undefined;
}

/**
 * Decides whom a request goes to. Of a route's targets, those that have no way to say what the request's wire says are left out.
 * @throws CodedError `model_not_found`, `model_not_allowed`, `provider_disabled`, `dialect_not_supported`
 */
export function route(table: RouteTable, principal: Principal, facts: RequestFacts, request: ModelRequest): Plan {
  const { model: name, wire } = facts;
  const rules = table.route(name);
  const model = rules ? undefined : table.model(name);
  if (!mayUse(principal.allowedModels, name))
    throw new CodedError('model_not_allowed', `This key may not use the model "${name}".`);
  if (!rules) return { publicModel: name, candidates: [candidateOf(table, model, name, wire)], rules: null };

  const order = orderOf(rules.targets, stickyKey(rules.sticky, principal, request, facts));
  const [first, ...others] = order.flatMap((target) => {
    const entry = table.model(target);
    const spoken = entry && table.wiresOf(entry.provider);
    const asked = spoken && wireTo(spoken, wire);
    return asked ? [to(entry, asked)] : [];
  });
  // None can be asked: the first one's reason is as good as any.
  const candidate = first ?? candidateOf(table, table.model(order[0] as string), order[0] as string, wire);
  return { publicModel: name, candidates: [candidate, ...others], rules };
}

function candidateOf(table: RouteTable, model: ModelEntry | undefined, name: string, wire: Wire): Candidate {
  if (!model) throw new CodedError('model_not_found', `There is no model "${name}".`);
  const wires = table.wiresOf(model.provider);
  if (!wires)
    throw new CodedError(
      'provider_disabled',
      `The provider "${model.provider}" of the model "${name}" is not configured.`,
    );
  const asked = wireTo(wires, wire);
  if (asked === null) {
    const offered = WIRES.filter((other) => wireTo(wires, other) !== null).map((other) => `POST ${PATH_OF[other]}`);
    throw new CodedError('dialect_not_supported', `The model "${name}" is offered on ${offered.join(', ')}.`);
  }
  return to(model, asked);
}

const to = (model: ModelEntry, wire: ProviderWire): Candidate => ({
  provider: model.provider,
  model,
  upstreamModel: model.upstreamModel,
  wire,
});

export const mayUse = (patterns: readonly string[] | null, name: string): boolean =>
  patterns === null || patterns.some((pattern) => matchesPattern(pattern, name));
