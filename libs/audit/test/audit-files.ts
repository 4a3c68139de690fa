import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { auditFolder } from '../src/exporter.service';

/** All exported lines of a data directory, in order. */
export async function exportedLines(dataDir: string): Promise<string[]> {
  const folder = auditFolder(dataDir);
  const names = (await readdir(folder)).filter((name) => /^audit-.*\.jsonl$/.test(name)).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  return texts.join('').split('\n').slice(0, -1);
}

/** Waits for something that another process or timer brings about. */
export async function until(what: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await what())) await new Promise((resolve) => setTimeout(resolve, 20));
}
