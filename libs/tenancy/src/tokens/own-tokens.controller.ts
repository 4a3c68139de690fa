import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  ApiErrors,
  ApiIdempotent,
  Audience,
  Caller,
  IdempotencyKey,
  Principal,
  Requires,
  type Page,
} from '@app/platform';
import { CreateToken, ListTokens, NewTokenView, RevocationView, RotateToken, TokenPage, TokenView } from './token.dto';
import { ownTenantId } from '../tenants/own-tenant-id';
import { TokensService } from './tokens.service';

@Controller('api/v1/tenant/tokens')
@Audience('tenant')
@ApiTags('Own tokens')
export class OwnTokensController {
  constructor(private readonly tokens: TokensService) {}

  @Post()
  @Requires('tenant:tokens')
  @ApiOperation({
    summary: 'Create a token of my tenant',
    description:
      'It cannot be given more than the creating token has. The token itself is in this response and nowhere else, ever.',
  })
  @ApiIdempotent()
  @ApiCreatedResponse({ type: NewTokenView })
  @ApiErrors(['tenant_suspended', 'validation_failed', 'idempotency_conflict', 'body_malformed'])
  createOwnToken(
    @Caller() principal: Principal,
    @Body() dto: CreateToken,
    @IdempotencyKey() key?: string,
  ): Promise<NewTokenView> {
    return this.tokens.create(principal, ownTenantId(principal), dto, key);
  }

  @Get()
  @Requires('tenant:tokens')
  @ApiOperation({ summary: "List my tenant's tokens" })
  @ApiOkResponse({ type: TokenPage })
  @ApiErrors(['tenant_suspended', 'validation_failed', 'cursor_invalid'])
  listOwnTokens(@Caller() principal: Principal, @Query() query: ListTokens): Promise<Page<TokenView>> {
    return this.tokens.list(principal, ownTenantId(principal), query);
  }

  @Get(':tokenId')
  @Requires('tenant:tokens')
  @ApiOperation({ summary: 'Show a token of my tenant' })
  @ApiOkResponse({ type: TokenView })
  @ApiErrors(['tenant_suspended', 'token_not_found'])
  showOwnToken(@Caller() principal: Principal, @Param('tokenId') tokenId: string): Promise<TokenView> {
    return this.tokens.show(principal, ownTenantId(principal), tokenId);
  }

  @Post(':tokenId/rotate')
  @Requires('tenant:tokens')
  @ApiOperation({
    summary: 'Rotate a token of my tenant',
    description: 'Makes a new token with the same label and rights; the old one stops at once or after a grace period.',
  })
  @ApiIdempotent()
  @ApiCreatedResponse({ type: NewTokenView })
  @ApiErrors([
    'tenant_suspended',
    'token_not_found',
    'token_revoked',
    'validation_failed',
    'idempotency_conflict',
    'body_malformed',
  ])
  rotateOwnToken(
    @Caller() principal: Principal,
    @Param('tokenId') tokenId: string,
    @Body() dto: RotateToken,
    @IdempotencyKey() key?: string,
  ): Promise<NewTokenView> {
    return this.tokens.rotate(principal, ownTenantId(principal), tokenId, dto, key);
  }

  @Post(':tokenId/revoke')
  @HttpCode(200)
  @Requires('tenant:tokens')
  @ApiOperation({
    summary: 'Revoke a token of my tenant',
    description: 'Its open streams are cut. The calling token may revoke itself.',
  })
  @ApiOkResponse({ type: RevocationView })
  @ApiErrors(['tenant_suspended', 'token_not_found'])
  revokeOwnToken(@Caller() principal: Principal, @Param('tokenId') tokenId: string): Promise<RevocationView> {
    return this.tokens.revoke(principal, ownTenantId(principal), tokenId);
  }
}
