import 'reflect-metadata';
import { resolve } from 'node:path';
import { Config, createLog } from '@app/platform';
import { firstKeyNotice } from './banner';
import { writeFirstConfig } from './first-run';
import { GatewayServer } from './gateway-server';
import { exitCodeOf, explainStartFailure } from './start-failure';
import { makeObjectsYoung } from './young-objects';

/** Makes this process a gateway. */
export function run(): void {
  makeObjectsYoung();
  start().catch((error: unknown) => {
    process.stderr.write(`${explainStartFailure(error)}\n`);
    process.exit(exitCodeOf(error));
  });
}

async function start(): Promise<void> {
  const file = resolve(process.env['OPENCLAWMU_CONFIG'] ?? 'openclawmu.yaml');
  const firstKey = writeFirstConfig(file);
  if (firstKey !== null) process.stdout.write(firstKeyNotice(firstKey));
  const config = Config.load(file);
  const gateway = new GatewayServer(config, createLog(config.current.logging.level));
  process.on('SIGHUP', () => void gateway.reload());
  process.on('SIGTERM', () => void gateway.stop('SIGTERM'));
  process.on('SIGINT', () => void gateway.stop('SIGINT'));
  await gateway.start(firstKey !== null);
}
