import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { createSecureContext } from 'node:tls';
import { z } from 'zod';
import { Secret } from '../secret';

const path = z.string().refine(isAbsolute, 'must be an absolute path').optional();

/** Files of a private authority and of a client certificate, read with the configuration; what is wrong with them is wrong with it. */
export const tlsFiles = z
  .strictObject({ caFile: path, certFile: path, keyFile: path, servername: z.string().min(1).optional() })
  .refine(({ certFile, keyFile }) => (certFile === undefined) === (keyFile === undefined), {
    message: 'a client certificate needs both: certFile and keyFile',
    path: ['certFile'],
  })
  .transform(({ caFile, certFile, keyFile, servername }, context) => {
    const read = (file: string | undefined, name: string): string | undefined => {
      try {
        return file === undefined ? undefined : readFileSync(file, 'utf8');
      } catch (error) {
        context.addIssue({ code: 'custom', path: [name], message: `cannot be read (${(error as Error).message})` });
        return undefined;
      }
    };
    const check = (name: string, test: () => unknown, message: string): void => {
      try {
        test();
      } catch {
        // The library's own words may quote the file.
        context.addIssue({ code: 'custom', path: [name], message });
      }
    };
    const ca = read(caFile, 'caFile');
    const cert = read(certFile, 'certFile');
    const key = read(keyFile, 'keyFile');
    if (ca !== undefined)
      check('caFile', () => eachCertificate(ca), 'holds no certificates in PEM form, or some that cannot be read');
    if (cert !== undefined && key !== undefined)
      check(
        'certFile',
        () => createSecureContext({ cert, key }),
        'and keyFile are no certificate and its key, both in PEM form without a passphrase',
      );
    return { ca, cert, key: key === undefined ? undefined : new Secret(key), servername };
  });

/** A secure context takes an authority that it cannot read for none. @throws Error */
function eachCertificate(pem: string): void {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new Error('no certificate');
  for (const block of blocks) new X509Certificate(block);
}
