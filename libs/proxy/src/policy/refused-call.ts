import type { RefusedAttempts } from '@app/audit';
import type { CodedError, Principal } from '@app/platform';
import type { Findings } from '@app/policy';
import type { ModelRequest } from '../request/model-request';

/** What the audit log says of a call that was not let through. */
export function refusedCall(
  principal: Principal,
  { id: requestId, path }: ModelRequest,
  { code, entry: { status } }: CodedError,
  findings?: Findings,
): Parameters<RefusedAttempts['record']>[0] {
  const [route] = path.split('?', 1);
  const attempt = {
    principal,
    ip: principal.origin.ip,
    requestId,
    method: 'POST',
    path: route as string,
    code,
    status,
  };
  return findings
    ? { ...attempt, found: Object.fromEntries(findings.all.map(({ rule, count }) => [rule, count])) }
    : attempt;
}
