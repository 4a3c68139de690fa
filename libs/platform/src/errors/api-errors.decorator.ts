import { applyDecorators } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import { ERRORS, type ErrorCode } from './catalogue';
import { CodedError } from './coded-error';
import { renderError, type Dialect } from './render';

/** Every authenticated control-plane route can answer these. */
const ALWAYS: readonly ErrorCode[] = [
  'credentials_missing',
  'credentials_invalid',
  'permission_denied',
  'database_unavailable',
  'internal_error',
];

const SCHEMAS = { problem: 'Problem', openai: 'OpenAiError', anthropic: 'AnthropicError' } as const;

/** Documents the errors a route can answer with, grouped by status, each code with an example as it is really rendered. */
export function ApiErrors(codes: readonly ErrorCode[] = [], dialect: Dialect = 'problem'): MethodDecorator {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of new Set([...ALWAYS, ...codes]))
    byStatus.set(ERRORS[code].status, [...(byStatus.get(ERRORS[code].status) ?? []), code]);
  return applyDecorators(
    ...[...byStatus].map(([status, group]) =>
      ApiResponse({
        status,
        description: group.map((code) => `\`${code}\`: ${ERRORS[code].title}`).join('\n\n'),
        content: {
          [dialect === 'problem' ? 'application/problem+json' : 'application/json']: {
            schema: { $ref: `#/components/schemas/${SCHEMAS[dialect]}` },
            examples: Object.fromEntries(group.map((code) => [code, example(code, dialect)])),
          },
        },
      }),
    ),
  );
}

/** Rendered when the document is made: there are hundreds, and most processes are never asked for it. */
const example = (code: ErrorCode, dialect: Dialect): { readonly value: unknown } => ({
  get value() {
    return JSON.parse(
      renderError(new CodedError(code), dialect, 'req_0199f3a0c0de7000800000000000cafe').body,
    ) as unknown;
  },
});
