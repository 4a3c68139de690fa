import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { newSecret } from '@app/platform';

/** Writes a commented configuration with a first admin key unless there is one. Returns the key: it is nowhere else. */
export function writeFirstConfig(file: string): string | null {
  if (existsSync(file)) return null;
  const key = `ak_root_${newSecret()}`;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, configText(createHash('sha256').update(key).digest('hex')), { mode: 0o600, flag: 'wx' });
  return key;
}

const configText = (
  hash: string,
): string => `# OpenClawMU configuration. Every setting, with its default: docs/platform.md.
# Unknown or invalid settings stop the start and name the line. After a change: kill -HUP <pid>; a bad file keeps the old one.
# \${NAME} is replaced by the environment variable NAME, so this file need not hold secrets.

server:
  host: 127.0.0.1
  port: 18789

# Embedded PostgreSQL, journal, audit files and keys live here. Back it up; do not share it between machines.
dataDir: ./data

# Budgets are calendar days and months of this time zone.
timezone: UTC

# An existing PostgreSQL (15 to 18) instead of the embedded one:
# database:
#   url: \${DATABASE_URL}
#   migrationUrl: \${DATABASE_MIGRATION_URL}   # the owner of the schema, so that the gateway itself owns nothing

# Admin keys: only their hashes. "npx openclawmu keys create NAME --role finance" makes another.
adminKeys:
  - name: root
    hash: sha256:${hash}
    role: admin

# Providers. With ANTHROPIC_API_KEY or OPENAI_API_KEY in the environment, those two need no entry here.
# providers:
#   internal:
#     dialect: openai
#     baseUrl: http://inference.example.internal:8000
#     internal: true        # plain http is allowed only to servers of your own network
#     apiKey: \${INTERNAL_API_KEY}
`;
