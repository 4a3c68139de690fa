import { CodedError, Database, LOG, Outage, Public, type Log } from '@app/platform';
import { ActiveCalls } from '@app/proxy';
import { Controller, Get, Inject } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Quota } from '@app/quota';
import { Health } from './health.dto';

const ApiMalformed = (): MethodDecorator =>
  ApiResponse({ status: '4XX', description: 'Not a well-formed HTTP request, or its headers are too large.' });

@ApiTags('Operation')
@Controller()
export class HealthController {
  readonly #outage: Outage;

  constructor(
    private readonly database: Database,
    private readonly calls: ActiveCalls,
    private readonly quota: Quota,
    @Inject(LOG) log: Log,
  ) {
    this.#outage = new Outage(log, 'not ready: this process takes no work', 'ready again');
  }

  @Get('healthz')
  @Public('liveness: says only that the process answers')
  @ApiOperation({ summary: 'Is the process alive?', security: [] })
  @ApiOkResponse({ type: Health })
  @ApiMalformed()
  alive(): Health {
    return { status: 'ok' };
  }

  @Get('readyz')
  @Public('readiness, for load balancers: says only whether this process takes work')
  @ApiOperation({ summary: 'Does this process take work?', security: [] })
  @ApiOkResponse({ type: Health })
  @ApiMalformed()
  @ApiResponse({
    status: 503,
    description: 'Not now: it is draining, its database or journal does not answer, or it must be restarted.',
  })
  async ready(): Promise<Health> {
    if (this.calls.draining) throw new CodedError('draining');
    await this.mayWork().catch((error: unknown) => {
      this.#outage.failed(error);
      throw error;
    });
    this.#outage.succeeded();
    return { status: 'ok' };
  }

  private async mayWork(): Promise<void> {
    await this.database.ping();
    const { journalWritable, fenced } = this.quota.facts();
    if (fenced !== null) throw new CodedError('database_unavailable', fenced);
    if (!journalWritable) throw new CodedError('journal_unavailable');
  }

  /** Claude Code asks this before its first call, without a token; silence or a 5xx would delay every start of it. */
  @Get(['/', 'api/hello'])
  @Public('what clients probe before they have a key')
  @ApiExcludeEndpoint()
  hello(): { name: string; docs: string } {
    return { name: 'OpenClawMU', docs: '/docs' };
  }
}
