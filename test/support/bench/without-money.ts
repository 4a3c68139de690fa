import 'reflect-metadata';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type * as HoldFile from '../../../libs/quota/src/hold';
import type * as HoldsFile from '../../../libs/quota/src/holds.service';
import type * as LeaseFile from '../../../libs/quota/src/window-lease';

/**
 * Loaded into a built gateway before it starts, so that what its money costs can be told from what it costs without: a hold is
 * given at once and kept nowhere, and what ends it is forgotten. Everything else is as it is.
 */

const load = createRequire(join(__dirname, '../../../dist/libs/quota/src/index.js'));
const built = <T>(file: string): T => load(file) as T;

const { makeHold } = built<typeof HoldFile>('./hold');
const { Holds } = built<typeof HoldsFile>('./holds.service');
const { LeaseSet } = built<typeof LeaseFile>('./window-lease');

const NO_LEASES = new LeaseSet([]);
const NOTED = Promise.resolve();
const DESK: HoldFile.HoldDesk = {
  settle: () => NOTED,
  release: () => undefined,
  narrow: ({ leases }) => leases,
};

Holds.prototype.reserve = (_, { costNanos, tokens }, { attribution }, id = '') =>
  Promise.resolve(
    makeHold(
      id,
      attribution,
      attribution.call,
      Date.now(),
      { cost: costNanos, tokens: BigInt(tokens) },
      NO_LEASES,
      DESK,
    ),
  );
