import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { AUDIT_ACTIONS } from '../../libs/audit/src/actions';
import { ADMIN_PERMISSIONS, TENANT_PERMISSIONS } from '../../libs/platform/src/access/permissions';
import { configSchema } from '../../libs/platform/src/config/schema';
import { ERRORS } from '../../libs/platform/src/errors/catalogue';
import { WEBHOOK_EVENTS } from '../../libs/webhooks/src/notice';
import { brokenLinks } from '../support/docs/links';
import { difference, normalise } from '../support/docs/matching';
import { Newcomer } from '../support/docs/newcomer';
import { codeSpans, publishedPages, ROOT, type Page } from '../support/docs/page';
import { readTranscript, type Step } from '../support/docs/transcript';
import { commandHelp, commandLines, metrics, settings, sourceFiles } from '../support/docs/vocabulary';
import { expectNothingLeft } from '../support/processes';
import { committedRoutes } from '../support/route-table';

/**
 * The pages are true: every transcript is played against a gateway that was started for the first time, every name they use
 * exists, and everything an operator can meet is named. `UPDATE_DOCS=1` writes what was printed into the pages.
 */
const isUpdate = Boolean(process.env['UPDATE_DOCS']);
const pages = publishedPages();
const cases = pages.map((page) => [page.path, page] as const);
const page = (path: string): Page => pages.find((each) => each.path === path) as Page;
const textOf = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const blocks = (language: string) =>
  pages.flatMap(({ path, blocks: all }) =>
    all.filter((block) => block.language === language).map((block) => [`${path}:${block.line}`, block] as const),
  );
const stepsOf = ({ blocks: all }: Page): Step[] =>
  all.filter(({ language }) => language === 'console').flatMap((block) => readTranscript(block));

describe('a newcomer who follows', () => {
  const played = cases.filter(([, { blocks: all }]) => all.some(({ language }) => language === 'console'));

  test.each(played)(
    '%s sees what it says',
    async (path, followed) => {
      const newcomer = await Newcomer.arrive();
      const faults: string[] = [];
      const printed = new Map<number, readonly string[]>();
      try {
        for (const step of stepsOf(followed)) {
          const isAsSaid = (result: { exitCode: number; lines: readonly string[] }): boolean =>
            result.exitCode === step.exitCode && difference(step.expected, result.lines) === null;
          const result = await newcomer.follow(step, isAsSaid, isUpdate ? 1_000 : 8_000);
          if (isAsSaid(result)) continue;
          printed.set(step.line, result.lines);
          faults.push(
            `${path}:${step.line}: $ ${step.command}\n  exit code ${result.exitCode}, said ${step.exitCode}\n` +
              `${difference(step.expected, result.lines) ?? ''}`,
          );
        }
      } finally {
        await newcomer.leave();
      }
      if (isUpdate) writeFileSync(join(ROOT, path), rewritten(textOf(path), stepsOf(followed), printed));
      if (faults.length > 0) throw new Error(faults.join('\n\n'));
      await expectNothingLeft(newcomer.folder);
    },
    240_000,
  );

  test('the front door sees the notice of the first start', async () => {
    const newcomer = await Newcomer.arrive();
    await newcomer.leave();
    const [notice] = page('README.md').blocks.filter(({ language }) => language === 'text');
    expect(normalise(newcomer.greeting)).toContain(normalise(notice?.lines.join('\n') ?? 'no notice'));
  }, 90_000);
});

describe('blocks that are not played', () => {
  test.each(blocks('sh'))('%s is a shell script', (_, block) => {
    execFileSync('bash', ['-n'], { input: block.lines.join('\n'), stdio: ['pipe', 'pipe', 'pipe'] });
  });

  test.each(blocks('yaml'))('%s is YAML, and valid settings where it is some', (_, block) => {
    const document = parseDocument(block.lines.join('\n'));
    expect(document.errors).toEqual([]);
    const tree = document.toJS() as Record<string, unknown>;
    const sections = new Set(settings().map(({ name }) => name.split(/[.[]/)[0]));
    if (Object.keys(tree).every((key) => sections.has(key)))
      // Certificates of an example are not there.
      expect(
        (configSchema.safeParse(tree).error?.issues ?? []).filter(
          ({ message }) => !message.startsWith('cannot be read'),
        ),
      ).toEqual([]);
  });
});

describe('links', () => {
  test.each(cases)('of %s lead somewhere', (_, linking) => expect(brokenLinks(linking)).toEqual([]));
});

describe('what the pages name exists', () => {
  const everything = sourceFiles().join('\n');
  const isWordOfOurs = (word: string): boolean => new RegExp(`(?<![\\w])${word}(?![\\w])`).test(everything);

  test.each(cases)('in %s: environment variables', (path) => {
    const named = textOf(path).match(/\b(OPENCLAWMU|DATABASE)_[A-Z_]+\b/g) ?? [];
    expect(named.filter((name) => !isWordOfOurs(name))).toEqual([]);
  });

  test.each(cases)('in %s: error codes, metrics, columns, roles', (_, naming) => {
    const named = codeSpans(naming).filter((span) => /^[a-z][a-z0-9]*(_[a-z0-9]+)+$/.test(span));
    expect(named.filter((name) => !isWordOfOurs(name))).toEqual([]);
  });

  test('in the troubleshooting table: messages and codes', () => {
    const [, table = ''] = textOf('docs/platform.md').split('## Troubleshooting');
    const first = table.split('\n').map((line) => /^\| (`.*?) \|/.exec(line)?.[1] ?? '');
    const told = first.flatMap((text) => [...text.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ''));
    expect(told.length).toBeGreaterThan(15);
    expect(told.filter((text) => !everything.includes(text))).toEqual([]);
  });

  test.each(cases)('in %s: settings, audit actions and events', (_, naming) => {
    const known = settings().map(({ name }) => name);
    const sections = new Set(known.map((name) => name.split(/[.[]/)[0]));
    const words: readonly string[] = [...AUDIT_ACTIONS, ...WEBHOOK_EVENTS];
    const nouns = new Set(words.map((word) => word.split('.')[0]));
    const dotted = codeSpans(naming).filter((span) => /^[a-z][\w<>[\]]*(\.[\w<>]+)+$/.test(span));
    const isSetting = (name: string): boolean =>
      known.some((each) => each === name || each.startsWith(`${name}.`) || each.replace('<name>.', '') === name);
    const wrong = dotted.filter((name) => {
      const first = name.split(/[.[]/)[0];
      if (/\.(ya?ml|jsonl?|pem|csv|md|mjs|ts|log|txt)$/.test(name)) return false;
      if (sections.has(first) && isSetting(name)) return false;
      if (nouns.has(first)) return !words.includes(name);
      return sections.has(first);
    });
    expect(wrong).toEqual([]);
  });

  test.each(cases)('in %s: permissions', (_, naming) => {
    const all: readonly string[] = [...ADMIN_PERMISSIONS, ...TENANT_PERMISSIONS];
    const nouns = new Set(all.map((permission) => permission.split(':')[0]));
    const named = codeSpans(naming).filter((span) => /^[a-z]+:[a-z]+$/.test(span) && nouns.has(span.split(':')[0]));
    expect(named.filter((name) => !all.includes(name))).toEqual([]);
  });

  test.each(cases)('in %s: routes', (path) => {
    const routes = committedRoutes().map((route) => route.path.replace(/\*id$/, '.+').replace(/:\w+/g, '[^/]+'));
    const patterns = routes.map((route) => new RegExp(`^${route.replaceAll('.json', '\\.json')}/?$`));
    const named = textOf(path).match(/(?<![\w.-])\/(api\/v1|v1|metrics|healthz|readyz)(\/[^\s"'`?)|,;\\]+)?/g) ?? [];
    const paths = named
      .map((each) => each.replace(/[.:]$/, ''))
      .filter((each) => !/^\/(api\/)?v1(\/(admin|tenant))?\/?(…|\.\.\.)?$/.test(each));
    expect(paths.filter((each) => !patterns.some((pattern) => pattern.test(each)))).toEqual([]);
  });

  test.each(cases)('in %s: commands and their options', async (path) => {
    const help = await commandHelp();
    const wrong = commandLines(textOf(path)).filter((line) => {
      const words = line.split(' ').filter((word) => !/^(--json|--quiet|-q|--help)$/.test(word));
      const name = [3, 2, 1].map((n) => words.slice(0, n).join(' ')).find((each) => help.has(each));
      if (name === undefined)
        return ![...help.keys()].some((each) => words.length === 1 && each.startsWith(`${words[0]} `));
      const options = line.match(/(?<=\s)--[a-z][\w-]*/g) ?? [];
      return options.some((option) => option !== '--help' && !help.get(name)?.includes(option));
    });
    expect(wrong).toEqual([]);
  });
});

describe('what exists is documented', () => {
  const spans = (path: string): Set<string> => new Set(codeSpans(page(path)));
  const missing = (names: readonly string[], path: string): string[] => names.filter((name) => !spans(path).has(name));

  test('every setting with its default, in the page for the platform', () => {
    const table = textOf('docs/platform.md').split('\n');
    const faults = settings().flatMap(({ name, fallback }) => {
      const row = table.find((line) => line.startsWith(`| \`${name}\` |`));
      const value = typeof fallback === 'string' ? fallback : JSON.stringify(fallback);
      if (row === undefined) return [`${name} has no row`];
      const isGiven =
        fallback === undefined ||
        /\[\]\.(name|hash|url|report|schedule|model)$|\.(dialect|baseUrl|bucket|region|accessKeyId|secretAccessKey)$/.test(
          name,
        );
      return isGiven || row.includes(`\`${value}\``) ? [] : [`${name} is ${value}, but its row says ${row}`];
    });
    expect(faults).toEqual([]);
  });

  test('every command, in the page for the platform', async () => {
    const text = textOf('docs/platform.md');
    expect([...(await commandHelp()).keys()].filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });

  test('every metric, in the page for the platform', () => {
    expect(metrics().length).toBeGreaterThan(10);
    expect(missing(metrics(), 'docs/platform.md')).toEqual([]);
  });

  test('every error code, in the page of errors', () =>
    expect(missing(Object.keys(ERRORS), 'docs/errors.md')).toEqual([]));

  test('every audit action, in the page for security', () =>
    expect(missing(AUDIT_ACTIONS, 'docs/security.md')).toEqual([]));

  test('every event of webhooks, in the pages for finance and security', () =>
    expect(missing(WEBHOOK_EVENTS, 'docs/security.md').filter((event) => !spans('docs/finance.md').has(event))).toEqual(
      [],
    ));

  test('every permission, in the page for security', () =>
    expect(missing([...ADMIN_PERMISSIONS, ...TENANT_PERMISSIONS], 'docs/security.md')).toEqual([]));
});

/** The page with what was printed where it said something else. */
function rewritten(text: string, steps: readonly Step[], printed: ReadonlyMap<number, readonly string[]>): string {
  const lines = text.split('\n');
  for (const { line, command, expected } of [...steps].reverse()) {
    const output = printed.get(line);
    const first = line - 1 + command.split('\n').length;
    if (output) lines.splice(first, expected.length, ...output.slice(0, output.at(-1) === '' ? -1 : undefined));
  }
  return lines.join('\n');
}
