import { run } from './run';

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

run(process.argv.slice(2), process).then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    process.stderr.write(`openclawmu: ${(error as Error).stack ?? String(error)}\n`);
    process.exitCode = 1;
  },
);
