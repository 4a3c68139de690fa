import { plainToInstance, Transform, type ClassConstructor } from 'class-transformer';
import { validateSync, ValidateBy } from 'class-validator';
import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional, getSchemaPath } from '@nestjs/swagger';
import { MOST_FAULTS, validationFaults } from '@app/platform';
import { isServiceTier } from '../pricing/usage';

const MAX_TIERS = 10;
const NAME = 'service tiers have names of small letters, digits, - and _, such as "priority"';

/**
 * An object whose members are named after service tiers and hold what a class says. The validator knows no such thing by
 * itself: it checks members that have a fixed name.
 */
export function IsTiers(tier: ClassConstructor<object>): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({
      type: 'object',
      additionalProperties: { $ref: getSchemaPath(tier) },
      example: { priority: { input: '4.25', output: '17.00' } },
    }),
    // As it came: the check below has its own instances, and what is stored is plain.
    Transform(({ obj, key }: { obj: Record<string, unknown>; key: string }) => obj[key]),
    ValidateBy({
      name: 'isTiers',
      validator: {
        validate: (value) => problemsOf(value, tier).length === 0,
        defaultMessage: (context) => problemsOf(context?.value, tier).slice(0, MOST_FAULTS).join('; '),
      },
    }),
  );
}

function problemsOf(value: unknown, tier: ClassConstructor<object>): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return ['must be an object with a member for each service tier'];
  const members = Object.entries(value as Record<string, unknown>);
  if (members.length > MAX_TIERS) return [`must not have more than ${MAX_TIERS} service tiers`];
  return members.flatMap(([name, stated]) => {
    if (!isServiceTier(name)) return [`has "${name}", and ${NAME}`];
    if (typeof stated !== 'object' || stated === null || Array.isArray(stated)) return [`${name}: must be prices`];
    const errors = validateSync(plainToInstance(tier, stated), {
      whitelist: true,
      forbidNonWhitelisted: true,
      stopAtFirstError: true,
    });
    return validationFaults(errors, [name]).map(({ path, problem }) => `${path.join('.')}: ${problem}`);
  });
}
