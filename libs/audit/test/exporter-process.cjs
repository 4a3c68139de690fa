// An exporter in a process of its own: node exporter-process.cjs <database url> <data dir>. Says "exporting" once it does.
require('./typescript-hook.cjs');
const { AuditExporter } = require('../src/exporter.service.ts');

const [databaseUrl, dataDir] = process.argv.slice(2);
const say = (level) => (fields, text) => console.error(level, text, fields.err?.message ?? '');
const exporter = new AuditExporter({
  databaseUrl,
  dataDir,
  checkpointMs: () => 20,
  log: { warn: say('warn'), error: say('error') },
});
exporter.start();
const timer = setInterval(() => {
  if (exporter.status.state !== 'exporting') return;
  clearInterval(timer);
  console.log('exporting');
}, 5);
process.on('disconnect', () => process.exit(1));
process.on('SIGTERM', () => void exporter.stop().then(() => process.exit(0)));
