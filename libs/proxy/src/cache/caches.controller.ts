import { ApiErrors, Audience, Caller, type Principal, Requires } from '@app/platform';
import { Controller, Delete, Param } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ClearedCache } from './cache.dto';
import { CachesService } from './caches.service';

@Controller('api/v1/admin/tenants/:tenantId/cache')
@Audience('admin')
@ApiTags('Tenants')
export class CachesController {
  constructor(private readonly caches: CachesService) {}

  @Delete()
  @Requires('tenants:write')
  @ApiOperation({
    summary: "Remove a tenant's kept answers",
    description: 'What it asks next is asked of providers again, and kept anew if its setting `cacheSeconds` says so.',
  })
  @ApiOkResponse({ type: ClearedCache })
  @ApiErrors(['tenant_not_found'])
  clearCache(@Caller() principal: Principal, @Param('tenantId') tenantId: string): Promise<ClearedCache> {
    return this.caches.clear(principal, tenantId);
  }
}
