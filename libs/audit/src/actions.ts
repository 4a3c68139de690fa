/** Everything that is ever audited: `noun.what happened to it`. A closed list, so that filters and alerts can rely on it. */
export const AUDIT_ACTIONS = [
  'tenant.created',
  'tenant.changed',
  'tenant.suspended',
  'tenant.resumed',
  'tenant.deleted',
  'token.created',
  'token.rotated',
  'token.revoked',
  'budget.set',
  'budget.removed',
  'budget.topped_up',
  'budget.repaired',
  'limits.set',
  'policy.set',
  'policy.removed',
  'policy.tested',
  'cache.cleared',
  'model.created',
  'model.changed',
  'model.removed',
  'rate_card.imported',
  'statement.closed',
  'statement.exported',
  'ledger.month_detached',
  'ledger.month_attached',
  'ledger.month_rebuilt',
  'delivery.requested',
  'usage.corrected',
  'lease.resolved',
  'webhook.retried',
  'webhook.tested',
  'prompts.listed',
  'prompt.read',
  'config.reloaded',
  'config.rejected',
  'gateway.started',
  'gateway.stopped',
  'access.refused',
] as const;

export type AuditAction = (typeof AUDIT_ACTIONS)[number];

export const AUDIT_OUTCOMES = ['done', 'refused', 'failed'] as const;

export type AuditOutcome = (typeof AUDIT_OUTCOMES)[number];
