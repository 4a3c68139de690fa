// npm run generate: writes what is derived from the built gateway and committed, docs/openapi.json, docs/errors.md and the route
// table. With `--print` all go to standard output as JSON instead, for the test that compares them. Needs neither database nor port.
import 'reflect-metadata';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import prettier from 'prettier';
import { errorsPage } from './errors-page.mjs';
import { ROOT } from './prepare.mjs';

const built = createRequire(join(ROOT, 'dist/apps/gateway/src/main.js'));
const { AppModule } = built('./app.module');
const { describeApi, DOCS_ROUTES, serveDocs } = built('./swagger');
const { declaredRoutes } = built('../../../libs/auth/src');
const { ERRORS } = built('../../../libs/platform/src');

/** The modules as the gateway composes them. In preview Nest makes no providers, so none of them misses what it needs. */
async function preview() {
  const app = await NestFactory.create(AppModule.forRoot({}), {
    preview: true,
    bodyParser: false,
    abortOnError: false,
    logger: ['error'],
  });
  serveDocs(app);
  return app;
}

/** A line for each route: method, path, audience, and the permission it demands or why it demands none. */
function table(routes) {
  const rows = routes.map(({ method, path, access }) =>
    access.kind === 'guarded'
      ? [method, path, access.audience, access.permission]
      : [method, path, access.kind, access.reason ?? access.problem],
  );
  const width = (column) => Math.max(...rows.map((row) => row[column].length));
  const widths = [width(0), width(1), width(2)];
  return rows.map((row) => `${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}\n`).join('');
}

const app = await preview();
const files = {
  'docs/openapi.json': await prettier.format(JSON.stringify(describeApi(app)), { parser: 'json', printWidth: 120 }),
  'docs/errors.md': errorsPage(ERRORS),
  'test/boundaries/routes.txt': table(declaredRoutes(app, DOCS_ROUTES)),
};
if (process.argv.includes('--print')) process.stdout.write(JSON.stringify(files));
else for (const [name, text] of Object.entries(files)) writeFileSync(join(ROOT, name), text);
