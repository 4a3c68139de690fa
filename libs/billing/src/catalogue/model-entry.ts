/** Where a public model name leads: which provider, under which name, within which limits. */
export interface ModelEntry {
  /** The name that was asked for; it is what is priced and billed. */
  readonly id: string;
  /** Name of a configured provider, or `local` for the built-in demonstration model. */
  readonly provider: string;
  /** What the provider calls it. */
  readonly upstreamModel: string;
  readonly displayName: string;
  readonly contextTokens: number;
  readonly maxOutputTokens: number;
}

/** Provider of the built-in offline model; it needs no configuration. */
export const LOCAL_PROVIDER = 'local';
