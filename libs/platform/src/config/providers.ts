import { z } from 'zod';
import { tlsFiles } from './tls-files';
import { bare, keepsSecrets, LOOPBACK, ms, name, proxyUrlOrNone, secret, whole, wholeOrNone } from './words';

/** A version of Azure's dated API (https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle). */
const apiVersion = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}(-preview)?$/, 'is not a version such as "2024-10-21"; leave it out for the v1 API');

/** OpenAI does, and Azure in its v1 API; most servers that are compatible with OpenAI do not. */
const servesResponses = ({
  baseUrl,
  azure,
}: {
  baseUrl: string;
  azure?: { apiVersion?: string } | undefined;
}): boolean =>
  new URL(baseUrl).hostname === 'api.openai.com' || (azure !== undefined && azure.apiVersion === undefined);

const provider = z
  .strictObject({
    dialect: z.enum(['openai', 'anthropic', 'gemini']),
    baseUrl: z
      .url({ protocol: /^https?$/ })
      .refine(bare, 'must hold no credentials, query or fragment; the key goes into apiKey')
      .transform((url) => url.replace(/\/+$/, '')),
    apiKey: secret.optional(),
    /** Used in turn, with `apiKey` if that is given too. */
    apiKeys: z.array(secret).min(1).max(50).optional(),
    azure: z.strictObject({ apiVersion: apiVersion.optional() }).optional(),
    /** Whether it serves `/v1/responses` itself; where not, such requests are translated to chat completions. */
    responses: z.boolean().optional(),
    internal: z.boolean().default(false),
    tls: tlsFiles.optional(),
    proxy: proxyUrlOrNone.optional(),
    /** Calls under way at a time, of one gateway process. */
    maxConcurrent: wholeOrNone(1, 100_000),
    queueMs: ms(10_000),
    retries: whole(0, 10, 0),
    retryMs: ms(30_000),
    breaker: z.strictObject({ failures: whole(0, 1_000, 10), openMs: ms(10_000) }).prefault({}),
    timeouts: z.strictObject({ connectMs: ms(10_000), firstByteMs: ms(300_000), idleMs: ms(120_000) }).prefault({}),
  })
  .refine(({ internal, baseUrl }) => internal || keepsSecrets(baseUrl), {
    message:
      'plain http would send the provider key unencrypted; use https, or set "internal: true" for a server in your own network',
    path: ['baseUrl'],
  })
  .refine(({ azure, dialect }) => !azure || dialect === 'openai', {
    message: 'is for providers of the dialect "openai"',
    path: ['azure'],
  })
  .refine(({ responses, dialect }) => responses === undefined || dialect === 'openai', {
    message: 'is for providers of the dialect "openai"',
    path: ['responses'],
  })
  .transform((settings) => ({
    ...settings,
    responses: settings.responses ?? servesResponses(settings),
    /** Whether it may lie in a private network; an address of this machine was meant by whoever wrote it. */
    internal: settings.internal || LOOPBACK.test(new URL(settings.baseUrl).hostname),
  }));

export const providers = z.record(name, provider).default({});

/** As names of models in the catalogue, one of which it may be. */
const routeName = z.string().regex(/^[\x21-\x7e]{1,200}$/, 'use 1 to 200 printable characters without spaces');

const target = z.preprocess(
  (one) => (typeof one === 'string' ? { model: one } : one),
  z.strictObject({ model: z.string().min(1), weight: wholeOrNone(1, 1_000) }),
);

const route = z.strictObject({
  /** Models of the catalogue, first choice first; those with a weight share what comes, the others stand in for them. */
  targets: z
    .array(target)
    .min(1)
    .max(20)
    .refine((all) => new Set(all.map((t) => t.model)).size === all.length, 'two targets are the same model'),
  sticky: z.enum(['none', 'tenant', 'conversation']).default('none'),
  /** Further attempts after the first. */
  retries: whole(0, 20, 2),
  /** No attempt begins later than this after the call. */
  retryMs: ms(30_000),
});

export const routes = z.record(routeName, route).default({});
