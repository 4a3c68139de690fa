import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { note, ok, wrong, type Finding } from './finding';

const ABOUT = 'data';
const LITTLE_BYTES = 1_073_741_824;

/** Whether the gateway can keep its journal, audit files and database in its data directory. */
export async function examineDataDir(dataDir: string): Promise<Finding> {
  const present = await exists(dataDir);
  const folder = present ? dataDir : await nearest(dirname(dataDir));
  try {
    await access(folder, constants.W_OK | constants.X_OK);
    if (!(await stat(folder)).isDirectory())
      return wrong(ABOUT, `${folder} is not a folder`, 'Remove it or set dataDir to another place.');
  } catch {
    return wrong(
      ABOUT,
      `${folder} is not writable for this user`,
      'Give the user who runs the gateway the right to write there.',
    );
  }
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < LITTLE_BYTES)
    return note(
      ABOUT,
      `${dataDir} has less than 1 GiB of free disk`,
      'Without space for its journal the gateway refuses work.',
    );
  return ok(ABOUT, `${dataDir} ${present ? 'is writable' : 'will be made at the first start'}`);
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

const nearest = async (path: string): Promise<string> => ((await exists(path)) ? path : nearest(dirname(path)));
