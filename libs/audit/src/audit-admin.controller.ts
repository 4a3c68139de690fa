import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiErrors, Audience, Caller, Requires, type Principal } from '@app/platform';
import { AuditPageView, AuditQuery, AuditVerificationView } from './audit.dto';
import { AuditRecords } from './audit.queries';
import { AuditVerification } from './verification.service';

@Controller('api/v1/admin/audit')
@Audience('admin')
@ApiTags('Audit')
export class AuditAdminController {
  constructor(
    private readonly records: AuditRecords,
    private readonly verification: AuditVerification,
  ) {}

  @Get()
  @Requires('audit:read')
  @ApiOperation({ summary: 'List audit records, newest first' })
  @ApiOkResponse({ type: AuditPageView })
  @ApiErrors(['validation_failed', 'cursor_invalid'])
  listAuditRecords(@Caller() principal: Principal, @Query() query: AuditQuery): Promise<AuditPageView> {
    return this.records.list(principal, query);
  }

  @Get('verification')
  @Requires('audit:read')
  @ApiOperation({
    summary: 'Verify the audit log',
    description:
      'Reads the whole log and checks that nothing was edited, dropped, reordered or cut off, and that the signed checkpoints agree. ' +
      'For a check that does not trust the gateway, run `openclawmu audit verify` on the exported files.',
  })
  @ApiOkResponse({ type: AuditVerificationView })
  @ApiErrors()
  verifyAuditLog(@Caller() principal: Principal): Promise<AuditVerificationView> {
    return this.verification.verify(principal);
  }
}
