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
import {
  CreateToken,
  ListTokens,
  NewTokenView,
  RevocationView,
  RevokeToken,
  RotateToken,
  TokenPage,
  TokenView,
} from './token.dto';
import { TokensService } from './tokens.service';

@Controller('api/v1/admin')
@Audience('admin')
@ApiTags('Tokens')
export class TokensAdminController {
  constructor(private readonly tokens: TokensService) {}

  @Post('tenants/:tenantId/tokens')
  @Requires('tokens:write')
  @ApiOperation({
    summary: 'Create a token',
    description: 'The token itself is in this response and nowhere else, ever.',
  })
  @ApiIdempotent()
  @ApiCreatedResponse({ type: NewTokenView })
  @ApiErrors(['tenant_not_found', 'tenant_state', 'validation_failed', 'idempotency_conflict', 'body_malformed'])
  createToken(
    @Caller() principal: Principal,
    @Param('tenantId') tenantId: string,
    @Body() dto: CreateToken,
    @IdempotencyKey() key?: string,
  ): Promise<NewTokenView> {
    return this.tokens.create(principal, tenantId, dto, key);
  }

  @Get('tenants/:tenantId/tokens')
  @Requires('tokens:read')
  @ApiOperation({ summary: "List a tenant's tokens" })
  @ApiOkResponse({ type: TokenPage })
  @ApiErrors(['tenant_not_found', 'validation_failed', 'cursor_invalid'])
  listTokens(
    @Caller() principal: Principal,
    @Param('tenantId') tenantId: string,
    @Query() query: ListTokens,
  ): Promise<Page<TokenView>> {
    return this.tokens.list(principal, tenantId, query);
  }

  @Get('tenants/:tenantId/tokens/:tokenId')
  @Requires('tokens:read')
  @ApiOperation({ summary: 'Show a token' })
  @ApiOkResponse({ type: TokenView })
  @ApiErrors(['token_not_found'])
  showToken(
    @Caller() principal: Principal,
    @Param('tenantId') tenantId: string,
    @Param('tokenId') tokenId: string,
  ): Promise<TokenView> {
    return this.tokens.show(principal, tenantId, tokenId);
  }

  @Post('tenants/:tenantId/tokens/:tokenId/rotate')
  @Requires('tokens:write')
  @ApiOperation({
    summary: 'Rotate a token',
    description: 'Makes a new token with the same label and rights; the old one stops at once or after a grace period.',
  })
  @ApiIdempotent()
  @ApiCreatedResponse({ type: NewTokenView })
  @ApiErrors([
    'tenant_not_found',
    'token_not_found',
    'token_revoked',
    'tenant_state',
    'validation_failed',
    'idempotency_conflict',
    'body_malformed',
  ])
  rotateToken(
    @Caller() principal: Principal,
    @Param('tenantId') tenantId: string,
    @Param('tokenId') tokenId: string,
    @Body() dto: RotateToken,
    @IdempotencyKey() key?: string,
  ): Promise<NewTokenView> {
    return this.tokens.rotate(principal, tenantId, tokenId, dto, key);
  }

  @Post('tenants/:tenantId/tokens/:tokenId/revoke')
  @HttpCode(200)
  @Requires('tokens:write')
  @ApiOperation({
    summary: 'Revoke a token',
    description: 'In every gateway process within a second; its open streams are cut.',
  })
  @ApiOkResponse({ type: RevocationView })
  @ApiErrors(['token_not_found'])
  revokeToken(
    @Caller() principal: Principal,
    @Param('tenantId') tenantId: string,
    @Param('tokenId') tokenId: string,
  ): Promise<RevocationView> {
    return this.tokens.revoke(principal, tenantId, tokenId);
  }

  @Post('tokens/revoke')
  @HttpCode(200)
  @Requires('tokens:write')
  @ApiOperation({
    summary: 'Revoke a leaked token',
    description: 'By the token itself or by its id; its tenant need not be known.',
  })
  @ApiOkResponse({ type: RevocationView })
  @ApiErrors(['token_not_found', 'validation_failed', 'body_malformed'])
  revokeLeakedToken(@Caller() principal: Principal, @Body() { token }: RevokeToken): Promise<RevocationView> {
    return this.tokens.revokeAny(principal, token);
  }
}
