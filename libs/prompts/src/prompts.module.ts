import { AuditModule } from '@app/audit';
import { TenancyModule, TenantLifecycle } from '@app/tenancy';
import { Module } from '@nestjs/common';
import { Registry } from 'prom-client';
import { PromptLog } from './prompt-log.service';
import { PromptMetrics } from './prompt-metrics';
import { PromptReading } from './prompt-reading.service';
import { forgetDeletedTenants, PromptRetention } from './prompt-retention.service';
import { PromptsAdminController } from './prompts-admin.controller';
import { PromptRecovery } from './spool/prompt-recovery.service';

/** The prompt log: what calls leave behind, where that is wanted. The application calls both `start` when its processes are known. */
@Module({
  imports: [AuditModule, TenancyModule],
  controllers: [PromptsAdminController],
  providers: [
    { provide: PromptMetrics, useFactory: (registry: Registry) => new PromptMetrics(registry), inject: [Registry] },
    PromptLog,
    PromptReading,
    PromptRecovery,
    PromptRetention,
  ],
  exports: [PromptLog, PromptRecovery],
})
export class PromptsModule {
  constructor(lifecycle: TenantLifecycle) {
    forgetDeletedTenants(lifecycle);
  }
}
