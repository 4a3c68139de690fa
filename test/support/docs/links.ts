import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readPage, ROOT, type Page } from './page';

/** What GitHub makes of a heading's text. */
export const slug = (heading: string): string =>
  heading
    .replace(/`([^`]*)`/g, '$1')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');

/** The fragments that lead into a page; a heading that comes again gets a number. */
export function anchorsOf({ prose }: Page): Set<string> {
  const anchors = new Set<string>();
  for (const line of prose) {
    const heading = /^#{1,6}\s+(.*?)\s*#*$/.exec(line)?.[1];
    if (heading === undefined) continue;
    const plain = slug(heading);
    let name = plain;
    for (let n = 1; anchors.has(name); n++) name = `${plain}-${n}`;
    anchors.add(name);
  }
  return anchors;
}

/** Targets of a page's links, those to other hosts left out: whether these answer is not ours to say. */
export function linksOf({ prose }: Page): string[] {
  const text = prose.join('\n').replace(/`[^`\n]*`/g, '');
  return [...text.matchAll(/\[[^\]]*\]\(([^)\s]+)\)/g)]
    .map((match) => match[1] ?? '')
    .filter((target) => !/^[a-z]+:/.test(target));
}

/** Those links of a page that lead nowhere. */
export function brokenLinks(page: Page): string[] {
  return linksOf(page).filter((target) => {
    const [file = '', fragment] = target.split('#');
    const path = join(dirname(page.path), file);
    if (file !== '' && !existsSync(join(ROOT, path))) return true;
    if (fragment === undefined || !(file === '' || file.endsWith('.md'))) return false;
    const led = file === '' ? page : readPage(path, readFileSync(join(ROOT, path), 'utf8'));
    return !anchorsOf(led).has(fragment);
  });
}
