import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { TenantRole } from '@app/platform';

@Entity('tokens')
export class TokenRow {
  @PrimaryColumn('text')
  id!: string;

  @Column('text')
  tenantId!: string;

  @Column('text')
  label!: string;

  @Column('bytea')
  hash!: Buffer;

  @Column('text')
  hint!: string;

  @Column('text')
  role!: TenantRole;

  @Column('text', { array: true, nullable: true })
  allowedModels!: string[] | null;

  @Column('timestamptz', { nullable: true })
  expiresAt!: Date | null;

  @Column('timestamptz')
  createdAt!: Date;

  /** `admin:<key name>`, `token:<token id>` or `job:<reason>`. */
  @Column('text')
  createdBy!: string;

  /** The token this one was made for by rotation. */
  @Column('text', { nullable: true })
  replaces!: string | null;

  /** The first of the line of tokens that ends with the one it replaces; `null` where it is the first itself. */
  @Column('text', { nullable: true })
  lineage!: string | null;

  /** May lie ahead: the end of the grace of a rotated token. */
  @Column('timestamptz', { nullable: true })
  revokedAt!: Date | null;
}
