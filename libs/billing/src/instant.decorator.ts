import { applyDecorators } from '@nestjs/common';
import { IsISO8601, Matches, ValidateBy } from 'class-validator';

/** Years the database and the calendar agree on; nothing is billed outside them. */
const YEAR = '(?:19[7-9]\\d|2\\d{3})';
const message = 'must be an instant with a time zone, such as 2027-01-01T00:00:00Z';

/** An ISO 8601 instant; without a time zone it would mean something else on every machine. */
export const IsInstant = (): PropertyDecorator =>
  applyDecorators(
    IsISO8601({ strict: true, strictSeparator: true }, { message }),
    Matches(new RegExp(`^${YEAR}-.*T.*(?:Z|[+-]\\d\\d:\\d\\d)$`), { message }),
    // The shape allows a leap second and offsets that no clock has.
    ValidateBy({
      name: 'isOnTheClock',
      validator: {
        validate: (text) => typeof text === 'string' && !Number.isNaN(Date.parse(text)),
        defaultMessage: () => message,
      },
    }),
  );

export const IsMonth = (): PropertyDecorator =>
  Matches(new RegExp(`^${YEAR}-(?:0[1-9]|1[0-2])$`), { message: 'must be a month such as 2026-11' });

/** Text people read; a NUL is no character to the database. */
export const IsPlainText = (): PropertyDecorator =>
  Matches(/^[^\p{Cc}]*$/u, { message: 'must not contain control characters' });
