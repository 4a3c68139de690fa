import type { Principal } from '@app/platform';
import { actorOf, draft, type AuditActor, type Draft } from './entry';

/** A call to the control plane that was not let through, or one to a model that a policy refused. */
export interface RefusedAttempt {
  /** `null` when no valid key was shown. */
  readonly principal: Principal | null;
  readonly ip: string | null;
  readonly requestId: string;
  readonly method: string;
  /** Without the query, which may hold anything. */
  readonly path: string;
  /** The error's code. */
  readonly code: string;
  readonly status: number;
  /** Of a model call: what rules of a policy found, by name and how often; never what. */
  readonly found?: Readonly<Record<string, number>>;
}

/** Its audit record. */
export function draftOf({ principal, ip, requestId, method, path, code, status, found }: RefusedAttempt): Draft {
  const actor: AuditActor = principal ? actorOf(principal) : { kind: 'anonymous', id: null, via: 'api', ip };
  return draft(
    {
      action: 'access.refused',
      tenant: principal?.tenantId ?? null,
      target: { kind: 'route', id: `${method} ${path}` },
      outcome: 'refused',
      after: { code, status, ...(found && { found }) },
    },
    actor,
    requestId,
  );
}

/** The record of calls that were only counted. */
export function draftOfMany(counts: unknown): Draft {
  return draft(
    {
      action: 'access.refused',
      tenant: null,
      target: { kind: 'route', id: 'many' },
      outcome: 'refused',
      after: counts,
      reason: 'More calls were refused than are recorded one by one.',
    },
    { kind: 'job', id: 'refused-attempts', via: 'job', ip: null },
    null,
  );
}
