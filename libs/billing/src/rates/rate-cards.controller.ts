import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  ApiBodyExamples,
  ApiErrors,
  ApiIdempotent,
  Audience,
  Caller,
  IdempotencyKey,
  PageQuery,
  Requires,
  type Principal,
} from '@app/platform';
import { CardCorrectionView } from '../corrections/card-correction.dto';
import { CardCorrections } from '../corrections/card-corrections.service';
import { ImportedRateCard, ImportRateCardDto, InForceQuery, RateCardDetail, RateCardPage } from './rate-card.dto';
import { RateCardDiffQuery, RateCardDiffView } from './rate-card-diff.dto';
import { RATE_CARD_EXAMPLES } from './rate-card-examples';
import { RateCards } from './rate-cards.service';

@Controller('api/v1/admin/rate-cards')
@Audience('admin')
@ApiTags('Rate cards')
export class RateCardsController {
  constructor(
    private readonly cards: RateCards,
    private readonly corrections: CardCorrections,
  ) {}

  @Post()
  @Requires('rates:write')
  @ApiOperation({
    summary: 'Import a rate card',
    description:
      'It becomes the next version and can never be changed. Requests are billed by the card in force when they start. A card ' +
      'for a time in the past is a correction: the differences are booked beside the calls it concerns.',
  })
  @ApiIdempotent()
  @ApiBodyExamples(ImportRateCardDto, RATE_CARD_EXAMPLES)
  @ApiCreatedResponse({ type: ImportedRateCard })
  @ApiErrors([
    'validation_failed',
    'rate_card_in_past',
    'rate_card_conflict',
    'idempotency_conflict',
    'ledger_month_archived',
  ])
  importRateCard(
    @Caller() principal: Principal,
    @Body() dto: ImportRateCardDto,
    @IdempotencyKey() key?: string,
  ): Promise<ImportedRateCard> {
    return this.cards.import(principal, dto, key);
  }

  @Get()
  @Requires('rates:read')
  @ApiOperation({ summary: 'List rate cards', description: 'Newest version first.' })
  @ApiOkResponse({ type: RateCardPage })
  @ApiErrors(['validation_failed', 'cursor_invalid'])
  listRateCards(@Caller() principal: Principal, @Query() query: PageQuery): Promise<RateCardPage> {
    return this.cards.list(principal, query);
  }

  @Get('in-force')
  @Requires('rates:read')
  @ApiOperation({ summary: 'Show the rate card in force', description: 'Now, or at another instant.' })
  @ApiOkResponse({ type: RateCardDetail })
  @ApiErrors(['validation_failed', 'rate_card_not_found'])
  showRateCardInForce(@Caller() principal: Principal, @Query() { at }: InForceQuery): Promise<RateCardDetail> {
    return this.cards.inForce(principal, at === undefined ? undefined : new Date(at));
  }

  @Get('diff')
  @Requires('rates:read')
  @ApiOperation({
    summary: 'Compare two rate cards',
    description: 'By what calls would cost: a class that is not stated has the price it follows.',
  })
  @ApiOkResponse({ type: RateCardDiffView })
  @ApiErrors(['validation_failed', 'rate_card_not_found'])
  compareRateCards(@Caller() principal: Principal, @Query() query: RateCardDiffQuery): Promise<RateCardDiffView> {
    return this.cards.diff(principal, query);
  }

  @Get(':version')
  @Requires('rates:read')
  @ApiOperation({ summary: 'Show a rate card with its prices' })
  @ApiOkResponse({ type: RateCardDetail })
  @ApiErrors(['rate_card_not_found'])
  showRateCard(@Caller() principal: Principal, @Param('version') version: string): Promise<RateCardDetail> {
    return this.cards.show(principal, version);
  }

  @Get(':version/corrections')
  @Requires('rates:read')
  @ApiOperation({
    summary: 'Show what a rate card for a time in the past has corrected',
    description: 'The corrections are booked behind the import, a batch at a time.',
  })
  @ApiOkResponse({ type: CardCorrectionView })
  @ApiErrors(['rate_card_not_found'])
  showRateCardCorrections(
    @Caller() principal: Principal,
    @Param('version') version: string,
  ): Promise<CardCorrectionView> {
    return this.corrections.show(principal, version);
  }
}
