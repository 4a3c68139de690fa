import { ACCESS_ERRORS } from './access.errors';
import { OPERATION_ERRORS } from './operation.errors';
import { REQUEST_ERRORS } from './request.errors';

/** Every error the gateway answers with. Adding a code to one of these lists is the only way to answer with an error. */
export const ERRORS = { ...ACCESS_ERRORS, ...REQUEST_ERRORS, ...OPERATION_ERRORS } as const;

export type { ErrorEntry } from './error-entry';
export type ErrorCode = keyof typeof ERRORS;
