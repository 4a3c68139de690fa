import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { TenantSettings } from './tenant-settings';
import type { TenantStatus } from './tenant.dto';

@Entity('tenants')
export class TenantRow {
  @PrimaryColumn('text')
  id!: string;

  @Column('text')
  name!: string;

  @Column('text')
  status!: TenantStatus;

  @Column('text', { nullable: true })
  costCenter!: string | null;

  @Column('text', { array: true, nullable: true })
  allowedModels!: string[] | null;

  @Column('jsonb')
  settings!: TenantSettings;

  @Column('boolean')
  promptLog!: boolean;

  @Column('timestamptz')
  createdAt!: Date;

  @Column('timestamptz')
  updatedAt!: Date;

  @Column('timestamptz', { nullable: true })
  deletedAt!: Date | null;
}
