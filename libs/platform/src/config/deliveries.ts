import { isAbsolute } from 'node:path';
import { Cron } from 'croner';
import { z } from 'zod';
import { tlsFiles } from './tls-files';
import { bare, keepsSecrets, LOOPBACK, name, proxyUrlOrNone, secret } from './words';

/** Five fields, read in the gateway's time zone. Both ways are tried, because what is due is looked for in the past. */
const schedule = z.string().refine((pattern) => {
  try {
    const cron = new Cron(pattern, { mode: '5-part', paused: true });
    return cron.nextRun() !== null && cron.previousRuns(1, new Date()).length === 1;
  } catch {
    return false;
  }
}, 'is not a schedule of five fields, minute hour day month weekday, such as "0 6 * * *"');

const s3 = z
  .strictObject({
    bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'is not the name of a bucket'),
    /** Without slashes at its ends; a bucket of its own needs none. */
    prefix: z
      .string()
      .regex(/^[\w!.*'()/=-]{0,512}$/, "may have letters, digits and !.*'()/=_-")
      .transform((prefix) => prefix.replace(/^\/+|\/+$/g, ''))
      .optional(),
    region: z.string().min(1),
    endpoint: z
      .url({ protocol: /^https?$/ })
      .refine(bare, 'must hold no credentials, query or fragment')
      .optional(),
    internal: z.boolean().default(false),
    tls: tlsFiles.optional(),
    proxy: proxyUrlOrNone.optional(),
    accessKeyId: z.string().min(1),
    secretAccessKey: secret,
    forcePathStyle: z.boolean().default(false),
    serverSideEncryption: z.enum(['AES256', 'aws:kms', 'aws:kms:dsse']).optional(),
  })
  .refine(({ internal, endpoint }) => internal || endpoint === undefined || keepsSecrets(endpoint), {
    message:
      'plain http would send the bill unencrypted; use https, or set "internal: true" for a server in your own network',
    path: ['endpoint'],
  })
  .transform(({ internal, ...rest }) => ({
    ...rest,
    /** Whether it lies in one's own network; an address of this machine was meant by whoever wrote it. */
    internal: internal || (rest.endpoint !== undefined && LOOPBACK.test(new URL(rest.endpoint).hostname)),
  }));

const delivery = z
  .strictObject({
    name,
    report: z.enum(['detail', 'daily', 'period', 'chargeback', 'focus', 'statement']),
    tenant: name.optional(),
    each: z.boolean().default(false),
    schedule,
    to: z
      .strictObject({
        folder: z.string().refine(isAbsolute, 'must be an absolute path').optional(),
        s3: s3.optional(),
      })
      .refine(({ folder, s3 }) => (folder === undefined) !== (s3 === undefined), 'name one place: "folder" or "s3"'),
  })
  .refine(({ tenant, each }) => !(each && tenant !== undefined), {
    message: 'one tenant, or each of them: not both',
    path: ['each'],
  });

type Delivery = z.output<typeof delivery>;

/** Files of two deliveries would stand under the same names, or be counted twice by whoever loads the folder. */
const target = ({ report, to: { folder, s3 } }: Delivery): string =>
  JSON.stringify([report, folder?.replace(/\/+$/, '') ?? [s3?.endpoint, s3?.bucket, s3?.prefix]]);

const isDistinct = (values: readonly string[]): boolean => new Set(values).size === values.length;

/** Bills that are delivered by themselves. */
export const deliveries = z
  .array(delivery)
  .default([])
  .refine((all) => isDistinct(all.map((each) => each.name)), 'two deliveries have the same name')
  .refine((all) => isDistinct(all.map(target)), 'two deliveries write the same report to the same place');
