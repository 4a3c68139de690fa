import { readFileSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { Secret } from '../secret';
import { secret } from './words';

const KEY_BYTES = 32;
const WANTED = 'must be 32 random bytes in base64; "openssl rand -base64 32" makes them';

/** A key as bytes in base64, or undefined for what is none. */
function keyIn(text: string): string | undefined {
  const bytes = Buffer.from(text.trim(), 'base64');
  return bytes.length === KEY_BYTES ? bytes.toString('base64') : undefined;
}

/** A key, given or in a file that is read with the configuration: its 32 bytes as they are, or in base64. */
const key = z
  .strictObject({
    /** Stands with what is encrypted, so that it is known which key opens it. */
    id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, 'use 1 to 64 letters, digits, ".", "-" and "_"'),
    key: secret.optional(),
    keyFile: z.string().refine(isAbsolute, 'must be an absolute path').optional(),
  })
  .transform(({ id, key: given, keyFile }, context) => {
    const fail = (path: string, message: string): never => {
      context.addIssue({ code: 'custom', path: [path], message });
      return z.NEVER;
    };
    if ((given === undefined) === (keyFile === undefined)) return fail('key', 'give one of both: key or keyFile');
    if (given) return { id, key: new Secret(keyIn(given.reveal()) ?? fail('key', WANTED)) };
    try {
      const bytes = readFileSync(keyFile as string);
      const base64 = bytes.length === KEY_BYTES ? bytes.toString('base64') : keyIn(bytes.toString('latin1'));
      return { id, key: new Secret(base64 ?? fail('keyFile', WANTED)) };
    } catch (error) {
      return fail('keyFile', `cannot be read (${(error as Error).message})`);
    }
  });

/** The first encrypts; the others open what they encrypted before. */
export const encryptionKeys = z
  .array(key)
  .max(50)
  .default([])
  .refine((keys) => new Set(keys.map(({ id }) => id)).size === keys.length, 'two keys have the same id');
