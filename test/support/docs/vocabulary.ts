import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { run } from '../../../apps/cli/src/run';
import { configSchema } from '../../../libs/platform/src/config/schema';
import { ROOT } from './page';

/** The source files of apps and libs, tests left out. */
export function sourceFiles(): string[] {
  return ['apps', 'libs'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !/[.-]spec\.ts$/.test(name))
      .map((name) => readFileSync(join(ROOT, folder, name), 'utf8')),
  );
}

/** Names of our own metrics: whatever makes some says so by what it imports. */
export const metrics = (): string[] =>
  sourceFiles()
    .filter((text) => text.includes("from 'prom-client'"))
    .flatMap((text) => text.match(/(?<=')openclawmu_\w+(?=')/g) ?? []);

/** A setting of `openclawmu.yaml` as pages write it: `providers.<name>.dialect`, `adminKeys[].role`. */
export interface Setting {
  readonly name: string;
  /** `undefined` where there is none. */
  readonly fallback: unknown;
}

interface Shape {
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly items?: Shape;
  readonly additionalProperties?: Shape | false;
}

/** Every setting, read from the schema that checks them. */
export function settings(): Setting[] {
  const shape = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as Shape;
  const defaults = configSchema.parse({
    adminKeys: [{ name: 'x', hash: `sha256:${'0'.repeat(64)}` }],
    providers: { x: { dialect: 'openai', baseUrl: 'https://x.example' } },
    routes: { x: { targets: ['x'] } },
    cache: {},
    webhooks: [{ name: 'x', url: 'https://x.example', secret: `whsec_${'A'.repeat(32)}` }],
    deliveries: [
      {
        name: 'x',
        report: 'detail',
        schedule: '0 6 * * *',
        to: { s3: { bucket: 'xxx', region: 'x', accessKeyId: 'x', secretAccessKey: 'x' } },
      },
    ],
  });
  return leaves(shape, '', defaults);
}

function leaves(shape: Shape, name: string, value: unknown): Setting[] {
  const { properties, items, additionalProperties } = shape;
  const member = (key: string): unknown => (value as Record<string, unknown> | undefined)?.[key];
  if (properties)
    return Object.entries(properties).flatMap(([key, inner]) =>
      leaves(inner, name ? `${name}.${key}` : key, member(key)),
    );
  if (items?.properties) return leaves(items, `${name}[]`, (value as unknown[])[0]);
  if (additionalProperties) return leaves(additionalProperties, `${name}.<name>`, member('x'));
  return [{ name, fallback: value }];
}

/** What `--help` says of every command, by its words: `tokens create`. */
export async function commandHelp(words: readonly string[] = []): Promise<Map<string, string>> {
  let text = '';
  const sink = { write: (said: string) => ((text += said), true) };
  await run([...words, '--help'], { env: {}, stdout: sink as never, stderr: sink as never });
  const names = [...(/\nCommands:\n([^]*?)(\n\n|$)/.exec(text)?.[1] ?? '').matchAll(/^ {2}([a-z][a-z-]*)/gm)].map(
    (m) => m[1] ?? '',
  );
  const found = new Map<string, string>();
  for (const name of names.filter((each) => each !== 'help'))
    for (const [command, help] of await commandHelp([...words, name])) found.set(command, help);
  if (found.size === 0) found.set(words.join(' '), text);
  return found;
}

/** Command lines of the tool in a text, up to the end of their line. */
export const commandLines = (text: string): string[] =>
  [...text.matchAll(/(?:^|[\s$("`;|])openclawmu ((?:--?[\w-]+ )*[a-z-]+ [^`\n|;)]*|[a-z-]+)/gm)].map(
    (match) => match[1] ?? '',
  );
