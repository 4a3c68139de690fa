import { join } from 'node:path';
import {
  createSourceFile,
  forEachChild,
  isStringLiteralLike,
  isTemplateExpression,
  type Node,
  ScriptTarget,
} from 'typescript';
import { isSource, isSpec, isTestSupport, readTree, type Fault } from './source-tree';

const LOCK = /\bFOR (NO KEY UPDATE|UPDATE|KEY SHARE|SHARE)\b|\$\{lock\}/g;
const JOINED = /\bJOIN\b|\b(IN|ANY|SOME|ALL)\s*\(\s*SELECT\b|\bFROM\b[^()]*?\w\s*,\s*\w+(?=[^()]*?\bWHERE\b)/i;

/** Literals with SQL that locks rows. */
function* locking(node: Node): Iterable<string> {
  if (isStringLiteralLike(node) || isTemplateExpression(node)) {
    const text = node.getText();
    if (text.search(LOCK) > 0 && /\bSELECT\b/.test(text)) yield text;
  }
  const children: Node[] = [];
  forEachChild(node, (child) => void children.push(child));
  for (const child of children) yield* locking(child);
}

/** The `SELECT` that ends with a lock: back to where the parenthesis around it opens. */
function selectBefore(sql: string, end: number): string {
  let depth = 0;
  for (let at = end - 1; at > 0; at--) {
    if (sql[at] === ')') depth++;
    else if (sql[at] === '(' && --depth < 0) return sql.slice(at + 1, end);
  }
  return sql.slice(1, end);
}

/** Without what is read once, before the rows: arrays of subqueries. */
function withoutArrays(sql: string): string {
  const from = sql.search(/\bARRAY\s*\(/);
  if (from < 0) return sql;
  let depth = 0;
  let at = sql.indexOf('(', from);
  do depth += sql[at] === '(' ? 1 : sql[at] === ')' ? -1 : 0;
  while (depth > 0 && ++at < sql.length);
  return withoutArrays(sql.slice(0, from) + sql.slice(at + 1));
}

/** Statements that lock rows they find by a join: decision 0015. */
function lockFaults(path: string, source: string): Fault[] {
  const file = createSourceFile(path, source, ScriptTarget.Latest, true);
  return [...locking(file)].flatMap((sql) =>
    [...sql.matchAll(LOCK)].flatMap(({ index }) => {
      const select = withoutArrays(selectBefore(sql, index));
      return JOINED.test(select) ? [`${path} locks rows that it finds by a join: ${select.trim().slice(0, 80)}`] : [];
    }),
  );
}

test('whoever locks rows names them by simple comparisons', () => {
  const tree = readTree(join(__dirname, '../..'), ['apps', 'libs']);
  const ours = [...tree].filter(([path]) => isSource(path) && !isSpec(path) && !isTestSupport(path));
  const lockers = ours.filter(
    ([path, source]) => [...locking(createSourceFile(path, source, ScriptTarget.Latest, true))].length,
  );
  expect(lockers.map(([path]) => path)).toEqual(
    expect.arrayContaining(['libs/quota/src/settlements.queries.ts', 'libs/billing/src/catalogue/models.queries.ts']),
  );
  expect(ours.flatMap(([path, source]) => lockFaults(path, source))).toEqual([]);
});

test.each<[string, string, boolean]>([
  ['a list', 'SELECT id FROM w WHERE id = ANY($1) ORDER BY id FOR UPDATE', false],
  [
    'an array read before',
    'SELECT id FROM w WHERE id = ANY (ARRAY(SELECT b.id FROM (a JOIN b USING (id)))) FOR SHARE',
    false,
  ],
  ['a subquery', 'SELECT id FROM w WHERE id IN (SELECT unnest($1)) ORDER BY id FOR UPDATE', true],
  ['any of a subquery', 'SELECT id FROM w WHERE id = ANY (SELECT unnest($1)) FOR NO KEY UPDATE', true],
  ['a join', 'SELECT w.id FROM w JOIN x USING (id) FOR UPDATE OF w', true],
  ['two tables', 'SELECT w.id FROM w, x WHERE w.id = x.id FOR UPDATE OF w', true],
  [
    'a join within a larger statement',
    'WITH d AS (SELECT w.id FROM w JOIN x USING (id) FOR UPDATE) UPDATE w SET a = 1',
    true,
  ],
  [
    'a list within one that joins',
    'WITH d AS (SELECT id FROM w WHERE a = $1 FOR UPDATE) UPDATE w SET a = 1 FROM d JOIN e',
    false,
  ],
  ['nothing', 'SELECT id FROM w JOIN x USING (id)', false],
])('rows by %s', (_, sql, isFault) => {
  const source = `const rows = tx.query(\`\${COLUMNS} ${sql} \${AND_SO_ON}\`);`;
  expect(lockFaults('a.ts', source).length > 0).toBe(isFault);
});
