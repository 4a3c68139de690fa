import { ApiErrors, Audience, Requires } from '@app/platform';
import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Upstream } from '../upstream';
import { ProviderList } from './provider.dto';

@Controller('api/v1/admin/providers')
@Audience('admin')
@ApiTags('Operation')
export class ProvidersController {
  constructor(private readonly upstream: Upstream) {}

  @Get()
  @Requires('gateway:read')
  @ApiOperation({
    summary: 'List providers and how they fare',
    description: 'As the process sees them that answers: each has connections, breakers and queues of its own.',
  })
  @ApiOkResponse({ type: ProviderList })
  @ApiErrors([])
  listProviders(): ProviderList {
    return { items: this.upstream.views };
  }
}
