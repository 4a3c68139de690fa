export { AUDIT_ACTIONS, AUDIT_OUTCOMES, type AuditAction, type AuditOutcome } from './actions';
export { AuditModule } from './audit.module';
export { Audit } from './audit.service';
export type { AuditEntry } from './entry';
