import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** A fenced block of a page. */
export interface Block {
  readonly language: string;
  /** Line of the page its first line stands on, counted from 1. */
  readonly line: number;
  readonly lines: readonly string[];
}

/** A Markdown page, parted into its fenced blocks and what stands between them. */
export interface Page {
  /** From the root of the repository: `docs/finance.md`. */
  readonly path: string;
  readonly blocks: readonly Block[];
  /** The lines outside of fences, in their places; those inside are empty. */
  readonly prose: readonly string[];
}

export const ROOT = resolve(__dirname, '../../..');

/** The pages people read: the front door and `docs/`, without the decisions, which are history. */
export function publishedPages(): Page[] {
  const docs = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
  return ['README.md', ...docs.sort().map((name) => `docs/${name}`)].map((path) =>
    readPage(path, readFileSync(join(ROOT, path), 'utf8')),
  );
}

/** @throws Error for a fence that is never closed */
export function readPage(path: string, text: string): Page {
  const blocks: Block[] = [];
  const prose: string[] = [];
  let open: { fence: string; language: string; line: number; lines: string[] } | null = null;
  for (const [index, line] of text.split('\n').entries()) {
    const fence = /^(`{3,}|~{3,})\s*(\S*)/.exec(line);
    if (open === null && fence) open = { fence: fence[1] ?? '', language: fence[2] ?? '', line: index + 2, lines: [] };
    else if (open === null) {
      prose.push(line);
      continue;
    } else if (line.trim() === open.fence) {
      blocks.push({ language: open.language, line: open.line, lines: open.lines });
      open = null;
    } else open.lines.push(line);
    prose.push('');
  }
  if (open !== null) throw new Error(`${path}:${open.line - 1}: this fence is never closed`);
  return { path, blocks, prose };
}

/** The texts in backticks outside of fences. */
export function codeSpans({ prose }: Page): string[] {
  return [...prose.join('\n').matchAll(/(?<!`)`([^`\n]+)`(?!`)/g)].map((match) => match[1] ?? '');
}
