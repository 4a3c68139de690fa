import { ApiErrors, Audience, Caller, type Principal, Requires } from '@app/platform';
import { Controller, Delete } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ClearedCache } from './cache.dto';
import { CachesService } from './caches.service';

@Controller('api/v1/tenant/cache')
@Audience('tenant')
@ApiTags('Own tenant')
export class OwnCacheController {
  constructor(private readonly caches: CachesService) {}

  @Delete()
  @Requires('tenant:write')
  @ApiOperation({ summary: "Remove my tenant's kept answers" })
  @ApiOkResponse({ type: ClearedCache })
  @ApiErrors(['tenant_suspended'])
  clearOwnCache(@Caller() principal: Principal): Promise<ClearedCache> {
    return this.caches.clearOwn(principal);
  }
}
