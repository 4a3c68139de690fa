import { z } from 'zod';
import { ADMIN_ROLES } from '../access/permissions';
import { Secret } from '../secret';
import { deliveries } from './deliveries';
import { encryptionKeys } from './encryption-keys';
import { promptLog } from './prompt-log';
import { providers, routes } from './providers';
import { telemetry } from './telemetry';
import { tlsFiles } from './tls-files';
import { eachUrl, keepsSecrets, LOOPBACK, ms, name, proxyUrl, proxyUrlOrNone, secret, whole } from './words';

const timezone = z.string().refine((zone) => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}, 'is not a time zone name such as "Europe/Berlin"');

/** Of a socket such an address has no host, so it is not one for the URL parser. */
const databaseUrl = secret.refine(
  (url) => /^(postgres(ql)?:\/\/|socket:)/.test(url.reveal()),
  'must begin with postgresql://, as in postgresql://user:password@host/database',
);

const adminKey = z.strictObject({
  name,
  hash: z
    .string()
    .regex(
      /^sha256:[0-9a-f]{64}$/,
      'must be "sha256:" and 64 hex digits, never the key itself; "openclawmu keys create NAME" makes both',
    ),
  role: z.enum(ADMIN_ROLES).default('admin'),
});

/** As Standard Webhooks writes a secret: 24 to 64 random bytes in base64 behind a prefix. */
const signingSecret = z
  .string()
  .refine((text) => {
    const [, base64] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text) ?? [];
    const bytes = base64 === undefined ? 0 : Buffer.from(base64, 'base64').length;
    return bytes >= 24 && bytes <= 64;
  }, 'must be "whsec_" and the base64 of 24 to 64 random bytes')
  .transform((text) => new Secret(text));

const webhook = z
  .strictObject({
    name,
    url: z.url({ protocol: /^https?$/ }).refine(
      eachUrl(({ username, password, hash }) => !(username || password || hash)),
      'must hold no credentials or fragment; what is sent is signed with the secret',
    ),
    /** One, or several while one is replaced: a notice is signed with each. */
    secret: z.preprocess((one) => (typeof one === 'string' ? [one] : one), z.array(signingSecret).min(1).max(5)),
    events: z
      .array(
        z
          .string()
          .regex(/^([a-z_]+(\.[a-z_]+)*(\.\*)?|\*)$/, 'is not an event such as "budget.threshold" or "budget.*"'),
      )
      .min(1)
      .default(['*']),
    tenants: z.array(name).min(1).optional(),
    internal: z.boolean().default(false),
    tls: tlsFiles.optional(),
    proxy: proxyUrlOrNone.optional(),
  })
  .refine(({ internal, url }) => internal || keepsSecrets(url), {
    message:
      'notices would be readable by anybody on the way; use https, or set "internal: true" for a receiver in your own network',
    path: ['url'],
  })
  .transform(({ secret: secrets, internal, ...rest }) => ({
    ...rest,
    secrets,
    /** Whether it may lie in a private network; an address of this machine was meant by whoever wrote it. */
    internal: internal || LOOPBACK.test(new URL(rest.url).hostname),
  }));

/** The whole configuration: one YAML file plus the environment. Unknown keys are refused, all faults reported together. */
export const configSchema = z.strictObject({
  server: z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1'),
      port: whole(0, 65_535, 18_789),
      bodyLimitBytes: whole(1024, 1_073_741_824, 33_554_432),
      headerLimitBytes: whole(4096, 262_144, 32_768),
      headersTimeoutMs: ms(30_000),
      bodyTimeoutMs: ms(120_000),
      drainMs: ms(60_000),
      trustedProxies: z.array(z.string()).default([]),
    })
    .prefault({}),
  dataDir: z.string().min(1).default('./data'),
  timezone: timezone.default('UTC'),
  database: z
    .strictObject({
      url: databaseUrl.optional(),
      migrationUrl: databaseUrl.optional(),
      poolSize: whole(3, 200, 10),
    })
    .prefault({}),
  logging: z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error']).default('info') }).prefault({}),
  adminKeys: z
    .array(adminKey)
    .default([])
    .refine((keys) => new Set(keys.map((k) => k.name)).size === keys.length, 'two keys have the same name'),
  providers,
  routes,
  egress: z.strictObject({ proxy: proxyUrl.optional() }).prefault({}),
  webhooks: z
    .array(webhook)
    .max(50)
    .default([])
    .refine((hooks) => new Set(hooks.map((h) => h.name)).size === hooks.length, 'two webhooks have the same name'),
  ledger: z.strictObject({ retainMonths: whole(1, 1_200, 1).nullable().default(null) }).prefault({}),
  /** Keeping answers for the tenants that want it. Left out, none is kept. */
  cache: z
    .strictObject({
      /** An answer is kept for at most so long, whatever a tenant wants. */
      maxSeconds: whole(1, 2_592_000, 86_400),
      maxAnswerBytes: whole(1024, 67_108_864, 1_048_576),
      maxTenantBytes: whole(1024, 1_099_511_627_776, 67_108_864),
    })
    .optional(),
  budgets: z.strictObject({ waitMs: whole(100, 60_000, 2_000) }).prefault({}),
  journal: z.strictObject({ sync: z.enum(['write', 'group']).default('write') }).prefault({}),
  audit: z.strictObject({ checkpointMs: ms(60_000) }).prefault({}),
  deliveries,
  telemetry,
  promptLog,
  /** Thoughts that were masked in answers, sealed for their way back to the provider. Without a key none is. */
  thoughts: z.strictObject({ keys: encryptionKeys }).prefault({}),
});

export type GatewayConfig = z.output<typeof configSchema>;
export type ProviderConfig = GatewayConfig['providers'][string];
export type RouteConfig = GatewayConfig['routes'][string];
export type WebhookConfig = GatewayConfig['webhooks'][number];
export type AdminKeyConfig = GatewayConfig['adminKeys'][number];
export type DeliveryConfig = GatewayConfig['deliveries'][number];
export type EncryptionKey = GatewayConfig['thoughts']['keys'][number];
export type PromptLogConfig = GatewayConfig['promptLog'];
export type TelemetryConfig = GatewayConfig['telemetry'];

/** Settings that some gateways have and this one must not; named so that the refusal explains itself. */
export const WEAKENING: ReadonlyMap<string, string> = new Map([
  ['budgets.enforce', 'budgets are always enforced; raise the limit instead'],
  ['audit.enabled', 'the audit log cannot be turned off'],
  ['access.allowAnonymous', 'every call needs a key'],
  ['auth.enabled', 'every call needs a key'],
  ['rates.allowUnpriced', 'a model without a price is refused, never free; price it at 0 if it is free'],
  ['database.rowLevelSecurity', 'isolation is enforced by the database and cannot be turned off'],
  ['sandbox.enabled', 'code never runs outside a sandbox'],
]);
