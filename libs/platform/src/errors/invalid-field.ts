import { CodedError } from './coded-error';

/** What is wrong with one field. */
export interface Fault {
  readonly field: string;
  readonly problem: string;
  /** Where in the field, if it is a text of many lines; both count from 1. */
  readonly line?: number;
  readonly column?: number;
}

/** So many faults are named at a time. */
export const MOST_FAULTS = 50;

/**
 * The refusal of all fields that are wrong.
 * @param uncounted how many more faults there are than those given
 */
export function invalidFields(faults: readonly Fault[], uncounted = 0): CodedError {
  const fields = faults.slice(0, MOST_FAULTS);
  const moreFields = faults.length - fields.length + uncounted;
  const told = fields.map(({ field, problem }) => `${field}: ${problem}.`);
  if (moreFields > 0) told.push(`${moreFields} more ${moreFields === 1 ? 'is' : 'are'} wrong.`);
  return new CodedError('validation_failed', told.join(' '), {
    details: { fields, ...(moreFields > 0 && { moreFields }) },
  });
}

/**
 * The refusal of one field that only the code behind a DTO can judge, in the form the DTOs' own refusals have.
 * @param place where in the field, such as a line
 */
export const invalidField = (field: string, problem: string, place?: Pick<Fault, 'line' | 'column'>): CodedError =>
  invalidFields([{ field, problem, ...place }]);
