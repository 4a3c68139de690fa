import { AuditModule } from '@app/audit';
import { Module } from '@nestjs/common';
import { KnownPolicies } from './known-policies.service';
import { OrganisationPolicyController } from './organisation-policy.controller';
import { OwnPolicyController } from './own-policy.controller';
import { TenantPoliciesController } from './tenant-policies.controller';
import { TenantPolicies } from './tenant-policies.service';

@Module({
  imports: [AuditModule],
  controllers: [TenantPoliciesController, OrganisationPolicyController, OwnPolicyController],
  providers: [TenantPolicies, KnownPolicies],
  exports: [KnownPolicies],
})
export class PolicyModule {}
