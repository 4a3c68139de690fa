import { ERRORS, type ErrorCode, type ErrorEntry } from './catalogue';

export interface CodedErrorOptions {
  /** Machine-readable facts for the body (`scope`, `limit`, `fields`, …). Never secrets: the caller reads them. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** Response headers, lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** For the log only. */
  readonly cause?: unknown;
}

/** The only error that reaches a caller with its own words; anything else is answered as `internal_error`. */
export class CodedError extends Error {
  readonly details: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  /** For the log only: whoever passes the error on adds what it knows. */
  readonly facts: Record<string, string> = {};

  /** @param detail what is wrong in this very case; the catalogue's title stands in when there is nothing to add. */
  constructor(
    readonly code: ErrorCode,
    detail?: string,
    options: CodedErrorOptions = {},
  ) {
    super(detail ?? ERRORS[code].title, { cause: options.cause });
    this.name = 'CodedError';
    this.details = options.details ?? {};
    this.headers = options.headers ?? {};
  }

  get entry(): ErrorEntry {
    return ERRORS[this.code];
  }
}
