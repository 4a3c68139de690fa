import { migrations } from '../../apps/gateway/src/migrations';
import type { EmbeddedPostgres } from '../../libs/platform/src/database/embedded-postgres';
import { migrate } from '../../libs/platform/src/database/migrate';
import { asSuperuser, MIGRATED } from './database';

/** Makes a server the one in which tests make their databases, with our schema to copy. */
export async function offerToTests(postgres: EmbeddedPostgres): Promise<void> {
  process.env['TEST_SUPERUSER_URL'] = postgres.url('superuser', 'postgres');
  process.env['TEST_OWNER_URL'] = postgres.ownerUrl;
  process.env['TEST_GATEWAY_URL'] = postgres.gatewayUrl;
  await asSuperuser(`create database ${MIGRATED} owner openclawmu_owner`);
  const [ownerUrl, gatewayUrl] = [postgres.url('owner', MIGRATED), postgres.url('gateway', MIGRATED)];
  await migrate({ ownerUrl, gatewayUrl, migrations });
}
