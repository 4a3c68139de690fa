const { writeFileSync } = require('node:fs');

/**
 * Ends jest's output with one plain line: `N passed, N failed`, and `, N skipped` when some were. A suite that could not run
 * counts as a failed test. With TEST_TALLY_FILE set the numbers go there instead, for a caller that prints the line itself.
 */
module.exports = class PlainReporter {
  constructor() {
    // Jest puts its own summary behind every other reporter, so only the end of the process comes after it.
    process.once('exit', () => this.tally && this.publish(this.tally));
  }

  onRunComplete(_contexts, results) {
    this.tally = {
      passed: results.numPassedTests,
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
      skipped: results.numPendingTests + results.numTodoTests,
    };
  }

  publish({ passed, failed, skipped }) {
    const file = process.env.TEST_TALLY_FILE;
    if (file) writeFileSync(file, JSON.stringify({ passed, failed, skipped }));
    else process.stdout.write(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
  }
};
