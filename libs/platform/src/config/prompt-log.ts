import { z } from 'zod';
import { encryptionKeys } from './encryption-keys';
import { share, whole } from './words';

/** Prompts and answers kept for later, encrypted; of tenants that an administrator has chosen besides. */
export const promptLog = z
  .strictObject({
    enabled: z.boolean().default(false),
    /** The first encrypts; the others open what they encrypted before. */
    keys: encryptionKeys,
    retentionDays: whole(1, 3_650, 30),
    /** Of the request, and of the answer. */
    maxBytes: whole(1_024, 16_777_216, 1_048_576),
    /** Entries that wait for the database, in bytes together; further ones are lost. */
    queueBytes: whole(1_048_576, 1_073_741_824, 67_108_864),
    /** Share of the calls that is kept. */
    sample: share.default(1),
  })
  .refine(({ enabled, keys }) => !enabled || keys.length > 0, {
    message: 'prompts are kept encrypted only: give at least one key',
    path: ['keys'],
  })
  .prefault({});
