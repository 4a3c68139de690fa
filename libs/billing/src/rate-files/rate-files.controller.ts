import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  ApiBodyExamples,
  ApiErrors,
  ApiIdempotent,
  Audience,
  BodyLimit,
  Caller,
  IdempotencyKey,
  Requires,
  type Principal,
} from '@app/platform';
import { ImportRateFileDto, MAX_FILE_BODY_BYTES, RATE_FILE_EXAMPLES, RateFileReport } from './rate-file.dto';
import { RateFiles } from './rate-files.service';

@Controller('api/v1/admin/rate-cards/imports')
@Audience('admin')
@ApiTags('Rate cards')
export class RateFilesController {
  constructor(private readonly files: RateFiles) {}

  @Post()
  @Requires('rates:write')
  @HttpCode(200)
  @BodyLimit(MAX_FILE_BODY_BYTES)
  @ApiOperation({
    summary: 'Import a rate card from a file',
    description:
      'Reads YAML, CSV or the public price map of LiteLLM into the next version, and reports what changes. The body may have 8 MiB.',
  })
  @ApiIdempotent()
  @ApiBodyExamples(ImportRateFileDto, RATE_FILE_EXAMPLES)
  @ApiOkResponse({ type: RateFileReport })
  @ApiErrors([
    'validation_failed',
    'rate_card_in_past',
    'rate_card_conflict',
    'idempotency_conflict',
    'ledger_month_archived',
  ])
  importRateFile(
    @Caller() principal: Principal,
    @Body() dto: ImportRateFileDto,
    @IdempotencyKey() key?: string,
  ): Promise<RateFileReport> {
    return this.files.import(principal, dto, key);
  }
}
