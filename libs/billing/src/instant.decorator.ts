import { applyDecorators } from '@nestjs/common';
import { IsISO8601, Matches } from 'class-validator';

/** An ISO 8601 instant; without a time zone it would mean something else on every machine. */
export const IsInstant = (): PropertyDecorator =>
  applyDecorators(
    IsISO8601({ strict: true, strictSeparator: true }, { message: 'must be an instant, such as 2027-01-01T00:00:00Z' }),
    Matches(/T.*(?:Z|[+-]\d\d:\d\d)$/, {
      message: 'must be an instant with a time zone, such as 2027-01-01T00:00:00Z',
    }),
  );
