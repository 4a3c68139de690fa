import { Module } from '@nestjs/common';
import { AuditAdminController } from './audit-admin.controller';
import { AuditRecords } from './audit.queries';
import { Audit } from './audit.service';
import { RefusedAttempts } from './refused-attempts.service';
import { AuditVerification } from './verification.service';

/** The exporter is not in here: it needs the database's address, so the app makes it, starts it and stops it. */
@Module({
  controllers: [AuditAdminController],
  providers: [Audit, AuditRecords, AuditVerification, RefusedAttempts],
  exports: [Audit, RefusedAttempts],
})
export class AuditModule {}
