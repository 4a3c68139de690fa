import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { TenancyModule } from '@app/tenancy';
import { AccessGuard } from './access.guard';
import { AdminKeys } from './admin-keys.service';
import { AuthGuard } from './auth.guard';
import { JsonBodyGuard } from './json-body.guard';

/** Guards every route of the application, in this order: who is calling, may they, and only then the body, after which both are asked again. */
@Module({
  imports: [TenancyModule],
  providers: [
    AdminKeys,
    AuthGuard,
    AccessGuard,
    { provide: APP_GUARD, useExisting: AuthGuard },
    { provide: APP_GUARD, useExisting: AccessGuard },
    { provide: APP_GUARD, useClass: JsonBodyGuard },
  ],
})
export class AuthModule {}
