import { createHash } from 'node:crypto';
import type { AdminKeyConfig } from '@app/platform';
import { note, ok, wrong, type Finding } from './finding';

/** Whether there is an admin key, and the caller's is one of them. */
export function examineAdminKey(keys: readonly AdminKeyConfig[], key: string | undefined): Finding {
  if (keys.length === 0)
    return wrong('admin keys', 'the configuration names none', 'Make one: openclawmu keys create root');
  if (!key)
    return note(
      'admin keys',
      `${keys.length} configured, OPENCLAWMU_ADMIN_KEY is not set`,
      'Set it to use the other commands.',
    );
  const hash = `sha256:${createHash('sha256').update(key).digest('hex')}`;
  const match = keys.find((each) => each.hash === hash);
  if (match) return ok('admin keys', `OPENCLAWMU_ADMIN_KEY is "${match.name}" (${match.role})`);
  return wrong(
    'admin keys',
    'OPENCLAWMU_ADMIN_KEY is none of the configured keys',
    'Use the right key, or make one: openclawmu keys create NAME',
  );
}
