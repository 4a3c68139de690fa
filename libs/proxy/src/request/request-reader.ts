import { CodedError } from '@app/platform';
import type { Wire } from '../wire';
import { readFacts, type RequestFacts } from './request-facts';

const REASONS: Readonly<Record<string, string>> = {
  hosted_tool: 'is run and billed by the provider, at a price that nothing in the request bounds',
  price: 'is billed by other rules than the rate card knows',
  state: 'reaches into the provider account that all departments share',
};

/** Reads what the gateway must know of a request. @throws CodedError `body_malformed`, `validation_failed`, `feature_not_supported` */
export function readRequest(wire: Wire, body: Buffer): RequestFacts {
  const result = readFacts(wire, body);
  if (!result.ok) {
    const { reason, field, message } = result.problem;
    const code =
      reason === 'missing' || reason === 'wrong_type' || reason === 'out_of_range'
        ? 'validation_failed'
        : 'body_malformed';
    throw new CodedError(code, message, field === null ? {} : { details: { fields: [{ field, problem: message }] } });
  }
  // What the gateway takes out of the body anyway is no reason to refuse it.
  const [feature] = result.facts.features.filter(({ name }) => !result.facts.ownedKeys.includes(name));
  if (feature)
    throw new CodedError('feature_not_supported', `"${feature.name}" ${REASONS[feature.kind]}.`, {
      details: { features: result.facts.features },
    });
  return result.facts;
}
