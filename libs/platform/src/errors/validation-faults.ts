import type { ValidationError } from 'class-validator';
import type { CodedError } from './coded-error';
import { invalidFields } from './invalid-field';

/** The members that lead to something wrong, and what is wrong with the last of them. */
export interface ValidationFault {
  readonly path: readonly string[];
  readonly problem: string;
}

/** All that a validation has found, in the order of the members. */
export const validationFaults = (
  errors: readonly ValidationError[],
  parents: readonly string[] = [],
): ValidationFault[] =>
  errors.flatMap(({ property, constraints = {}, children = [] }) => {
    const path = [...parents, property];
    const own = Object.entries(constraints).map(([rule, text]) => ({ path, problem: problemOf(rule, text, property) }));
    return [...own, ...validationFaults(children, path)];
  });

export const invalidMembers = (faults: readonly ValidationFault[]): CodedError =>
  invalidFields(faults.map(({ path, problem }) => ({ field: path.join('.'), problem })));

function problemOf(rule: string, text: string, property: string): string {
  if (rule === 'whitelistValidation') return 'is not a known field';
  return text.startsWith(`${property} `) ? text.slice(property.length + 1) : text;
}
