const { existsSync } = require('node:fs');
const path = require('node:path');
const { default: Sequencer } = require('@jest/test-sequencer');

/**
 * Files of many seconds, the longest first. A clone that has run nothing yet knows only how large files are, and some of these
 * are small: the last one begun would run on by itself when all others have ended.
 */
const LONG = [
  'test/e2e/docs.e2e-spec.ts',
  'test/e2e/start.e2e-spec.ts',
  'test/faults/kill-gateway.spec.ts',
  'test/faults/prove-budget.spec.ts',
  'libs/billing/src/deliveries/s3-destination.int-spec.ts',
  'libs/quota/src/recovery.int-spec.ts',
  'libs/platform/src/database/embedded-postgres.int-spec.ts',
  'test/e2e/postgres-versions.e2e-spec.ts',
  'test/e2e/shutdown.e2e-spec.ts',
  'test/faults/kill-delivery.spec.ts',
  'test/faults/postgres-away.spec.ts',
  'libs/billing/src/reports/send-report.int-spec.ts',
  'test/faults/stopped-gateway.spec.ts',
].map((name) => path.join(__dirname, '../..', name));

/** Jest's own order, but for a run of which it does not know yet how long these take. */
module.exports = class LongFilesFirst extends Sequencer {
  sort(tests) {
    const missing = LONG.filter((file) => !existsSync(file));
    if (missing.length > 0) throw new Error(`${__filename} names files that are not there: ${missing.join(', ')}`);
    const sorted = super.sort(tests);
    if (sorted.some(({ path: file, duration }) => LONG.includes(file) && duration !== undefined)) return sorted;
    const long = LONG.flatMap((file) => sorted.filter((test) => test.path === file));
    return [...long, ...sorted.filter((test) => !long.includes(test))];
  }
};
