import type { ModelEntry } from '@app/billing';
import { CodedError, matchesPattern, type Principal } from '@app/platform';
import { PATH_OF, type Wire } from './wire';

/** One way to answer a request: which model of which provider. */
export interface Candidate {
  readonly provider: string;
  readonly model: ModelEntry;
  /** The name the provider knows the model by. */
  readonly upstreamModel: string;
}

/** Whom to ask, in order. */
export interface Plan {
  /** The public name the caller used; it is what is billed and allowed. */
  readonly publicModel: string;
  readonly candidates: readonly [Candidate, ...Candidate[]];
}

export interface RouteTable {
  model(name: string): ModelEntry | undefined;
  /** The wires a provider answers on, or `undefined` when it is not configured. */
  wiresOf(provider: string): readonly Wire[] | undefined;
}

/** Decides whom a request goes to. @throws CodedError `model_not_found`, `model_not_allowed`, `provider_disabled`, `dialect_not_supported` */
export function route(table: RouteTable, principal: Principal, name: string, wire: Wire): Plan {
  const model = table.model(name);
  if (!mayUse(principal.allowedModels, name))
    throw new CodedError('model_not_allowed', `This key may not use the model "${name}".`);
  if (!model) throw new CodedError('model_not_found', `There is no model "${name}".`);
  const wires = table.wiresOf(model.provider);
  if (!wires)
    throw new CodedError(
      'provider_disabled',
      `The provider "${model.provider}" of the model "${name}" is not configured.`,
    );
  if (!wires.includes(wire)) {
    throw new CodedError(
      'dialect_not_supported',
      `The model "${name}" is offered on ${wires.map((offered) => `POST ${PATH_OF[offered]}`).join(', ')}.`,
    );
  }
  return {
    publicModel: name,
    candidates: [{ provider: model.provider, model, upstreamModel: model.upstreamModel }],
  };
}

export const mayUse = (patterns: readonly string[] | null, name: string): boolean =>
  patterns === null || patterns.some((pattern) => matchesPattern(pattern, name));
