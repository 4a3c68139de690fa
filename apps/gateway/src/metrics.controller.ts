import { ApiErrors, Audience, Requires } from '@app/platform';
import { Controller, Get, Header } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import { collectDefaultMetrics, Registry } from 'prom-client';

@ApiTags('Operation')
@Controller('metrics')
@Audience('admin')
export class MetricsController {
  constructor(private readonly registry: Registry) {
    collectDefaultMetrics({ register: registry });
  }

  @Get()
  @Requires('gateway:read')
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  @ApiOperation({ summary: 'Prometheus metrics', description: 'Scrape with an admin key as bearer token.' })
  @ApiProduces('text/plain')
  @ApiOkResponse({ description: 'Text exposition format 0.0.4.', schema: { type: 'string' } })
  @ApiErrors()
  metrics(): Promise<string> {
    return this.registry.metrics();
  }
}
