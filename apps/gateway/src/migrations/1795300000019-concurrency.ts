import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How many calls a tenant and each of its tokens may have under way, and how many of them each gateway process may let through. */
export class Concurrency1795300000019 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE tenant_limits
        ADD COLUMN concurrent_requests           integer CHECK (concurrent_requests > 0),
        ADD COLUMN concurrent_requests_per_token integer CHECK (concurrent_requests_per_token > 0);

      CREATE TABLE concurrency_slots (
        key        text NOT NULL,
        process_id uuid NOT NULL REFERENCES gateway_processes (id),
        slots      integer NOT NULL CHECK (slots >= 0),
        PRIMARY KEY (key, process_id)
      ) WITH (fillfactor = 50);
      CREATE INDEX concurrency_slots_process ON concurrency_slots (process_id);
      GRANT SELECT, INSERT, UPDATE, DELETE ON concurrency_slots TO openclawmu_platform;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE concurrency_slots;
      ALTER TABLE tenant_limits DROP COLUMN concurrent_requests, DROP COLUMN concurrent_requests_per_token`);
  }
}
