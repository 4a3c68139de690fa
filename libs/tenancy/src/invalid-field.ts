import { CodedError } from '@app/platform';

/** The refusal of one field that only the service can judge, in the form the DTOs' own refusals have. */
export const invalidField = (field: string, problem: string): CodedError =>
  new CodedError('validation_failed', `${field}: ${problem}.`, { details: { fields: [{ field, problem }] } });
