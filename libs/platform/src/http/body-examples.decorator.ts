import type { Type } from '@nestjs/common';
import { ApiBody } from '@nestjs/swagger';

/**
 * Bodies that are taken as they stand, by what they do. Swagger UI would otherwise put all properties into one, also those
 * of which only one may be given. `test/e2e/api-examples.e2e-spec.ts` sends them.
 */
export const ApiBodyExamples = <Dto extends object>(
  type: Type<Dto>,
  examples: Readonly<Record<string, Dto>>,
): MethodDecorator =>
  ApiBody({
    type,
    examples: Object.fromEntries(Object.entries(examples).map(([summary, value]) => [summary, { value }])),
  });
