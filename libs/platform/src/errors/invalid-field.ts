import { CodedError } from './coded-error';

/**
 * The refusal of one field that only the code behind a DTO can judge, in the form the DTOs' own refusals have.
 * @param place where in the field, such as a line
 */
export const invalidField = (field: string, problem: string, place?: Readonly<Record<string, unknown>>): CodedError =>
  new CodedError('validation_failed', `${field}: ${problem}.`, { details: { fields: [{ field, problem, ...place }] } });
