import { CodedError, invalidField } from '@app/platform';
import { LINE, LINE_TEXT } from '../words';

/** The overlay: what a tenant may set for itself. A closed set; each new setting needs a line in `SETTINGS`. */
export interface TenantSettings {
  readonly budgetContact?: string;
  /** Lower a request's output limit to what the budget covers, rather than refuse it. */
  readonly clampOutput?: boolean;
  /** Answer a request that was made before with the answer it got then, if that is not older. */
  readonly cacheSeconds?: number;
}

/** Thirty days; the gateway's own limit may be lower. */
const MAX_CACHE_SECONDS = 2_592_000;

/** Says what is wrong with a value, or `null` if nothing is. */
type Check = (value: unknown) => string | null;

const line =
  (maxLength: number): Check =>
  (value) =>
    typeof value === 'string' && value.length <= maxLength && LINE.test(value)
      ? null
      : `${LINE_TEXT} of at most ${maxLength} characters`;

const flag: Check = (value) => (typeof value === 'boolean' ? null : 'must be true or false');

const seconds: Check = (value) =>
  Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_CACHE_SECONDS
    ? null
    : `must be a whole number of seconds from 1 to ${MAX_CACHE_SECONDS}`;

const SETTINGS: Readonly<Record<keyof TenantSettings, Check>> = {
  budgetContact: line(200),
  clampOutput: flag,
  cacheSeconds: seconds,
};

/** Names that are the gateway administrator's wherever they stand, written without case, "-" and "_". */
const RESERVED = new Set(
  `adminkey adminkeys allowedmodels apikey apikeys audit backup baseurl budgets costcenter credentials database datadir
   enforcement hash journal limit limits logging models name password permissions prices promptlog provider providers quota quotas
   ratecard ratecards rates role roles s3 sandbox secret secrets server status tenantid timezone token tokens`.split(
    /\s+/,
  ),
);

/**
 * Applies a change to the settings: what it names is set, `null` removes, what it leaves out stays.
 * @throws CodedError `setting_reserved`, `validation_failed`
 */
export function changeSettings(current: TenantSettings, change: unknown): TenantSettings {
  if (!isObject(change)) throw invalidField('settings', 'must be an object');
  refuseReserved(change, 'settings');
  const next = new Map<string, unknown>(Object.entries(current));
  for (const [name, value] of Object.entries(change)) {
    const field = `settings.${name}`;
    if (!isSetting(name)) throw invalidField(field, 'is not a known setting');
    const problem = value === null ? null : SETTINGS[name](value);
    if (problem !== null) throw invalidField(field, problem);
    if (value === null) next.delete(name);
    else next.set(name, value);
  }
  return Object.fromEntries(next);
}

/**
 * What a tenant wants to change of itself, from the body as it was sent. It is read here and not by a DTO, because naming
 * something that is not the tenant's to set must be answered as just that.
 * @throws CodedError `setting_reserved`, `validation_failed`
 */
export function settingsChange(body: unknown): Readonly<Record<string, unknown>> {
  if (!isObject(body)) throw invalidField('settings', 'must be an object');
  refuseReserved(body);
  for (const name of Object.keys(body)) if (name !== 'settings') throw invalidField(name, 'is not a known field');
  const { settings = {} } = body;
  if (!isObject(settings)) throw invalidField('settings', 'must be an object');
  return settings;
}

/** Looks at all depths, without recursion: the depth is the caller's choice. */
function refuseReserved(tree: object, root = ''): void {
  const waiting: [path: string, node: object][] = [[root, tree]];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [path, node] = next;
    for (const [name, value] of Object.entries(node)) {
      const here = path ? `${path}.${name}` : name;
      if (!Array.isArray(node) && RESERVED.has(name.toLowerCase().replace(/[-_]/g, '')))
        throw new CodedError('setting_reserved', `"${here}" belongs to the gateway and cannot be set by a tenant.`, {
          details: { setting: here },
        });
      if (typeof value === 'object' && value !== null) waiting.push([here, value as object]);
    }
  }
}

const isSetting = (name: string): name is keyof TenantSettings => Object.hasOwn(SETTINGS, name);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
