import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { EmbeddedPostgresUnavailable } from './embedded-postgres.errors';

/** Where the server's programs lie on this machine. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

interface LibraryLink {
  readonly source: string;
  readonly target: string;
}

/**
 * Finds the platform package (`@embedded-postgres/<os>-<cpu>`, an optional dependency) and completes it.
 * @throws EmbeddedPostgresUnavailable when there is none for this machine
 */
export function locateBinaries(platform: string = process.platform, cpu: string = process.arch): PostgresBinaries {
  const name = `@embedded-postgres/${platform}-${cpu}`;
  let root: string;
  try {
    root = dirname(dirname(require.resolve(name)));
  } catch {
    throw new EmbeddedPostgresUnavailable(
      `The embedded PostgreSQL is not installed for this machine (package ${name}; it exists for Linux with glibc and for macOS).`,
    );
  }
  linkLibraries(root);
  return { initdb: join(root, 'native/bin/initdb'), postgres: join(root, 'native/bin/postgres') };
}

/**
 * npm packages cannot hold symbolic links, so the package lists those its libraries need and makes them in a postinstall script.
 * Where install scripts are switched off nothing would run; so they are made here too, where they are missing.
 */
function linkLibraries(root: string): void {
  for (const { source, target } of libraryLinks(root)) {
    const link = join(root, target);
    try {
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(relative(dirname(link), join(root, source)), link);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
      throw new EmbeddedPostgresUnavailable(
        `The embedded PostgreSQL lacks ${basename(link)} and it cannot be linked: ${(error as Error).message}. Install again as a user who may write there.`,
      );
    }
  }
}

function libraryLinks(root: string): LibraryLink[] {
  try {
    return JSON.parse(readFileSync(join(root, 'native/pg-symlinks.json'), 'utf8')) as LibraryLink[];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
