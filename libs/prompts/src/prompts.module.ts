import { AuditModule } from '@app/audit';
import { TenancyModule, TenantLifecycle } from '@app/tenancy';
import { Module } from '@nestjs/common';
import { PromptLog } from './prompt-log.service';
import { PromptReading } from './prompt-reading.service';
import { forgetDeletedTenants, PromptRetention } from './prompt-retention.service';
import { PromptsAdminController } from './prompts-admin.controller';

/** The prompt log: what calls leave behind, where that is wanted. */
@Module({
  imports: [AuditModule, TenancyModule],
  controllers: [PromptsAdminController],
  providers: [PromptLog, PromptReading, PromptRetention],
  exports: [PromptLog],
})
export class PromptsModule {
  constructor(lifecycle: TenantLifecycle) {
    forgetDeletedTenants(lifecycle);
  }
}
