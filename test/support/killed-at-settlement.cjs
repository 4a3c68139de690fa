'use strict';

const fs = require('node:fs');

/**
 * Preloaded into a gateway: ends it, as by `kill -9`, right `before` or `after` (KILLED) it writes into its journal that an answer
 * of the response cache is settled.
 */
const { KILLED } = process.env;
const SETTLED = Buffer.from('"reason":"cached"');
const write = fs.writeSync;

fs.writeSync = (fd, bytes, ...rest) => {
  const isIt = Buffer.isBuffer(bytes) && bytes.includes(SETTLED);
  if (isIt && KILLED === 'before') process.kill(process.pid, 'SIGKILL');
  const written = write(fd, bytes, ...rest);
  if (isIt) process.kill(process.pid, 'SIGKILL');
  return written;
};
