export { AUDIT_ACTIONS, AUDIT_OUTCOMES, type AuditAction, type AuditOutcome } from './actions';
export { AuditModule } from './audit.module';
export { Audit } from './audit.service';
export type { Fault, FaultKind } from './chain-check';
export type { AuditEntry } from './entry';
export { AuditExporter, auditFolder, type AuditExporterOptions, type ExporterStatus } from './exporter.service';
export { linesOf } from './lines';
export { RefusedAttempts, type RefusedAttempt } from './refused-attempts.service';
export { verifyChain, type Verdict, type VerifyOptions } from './verify-chain';
