import { createHash, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Config, type AdminKeyConfig } from '@app/platform';

/** Administrators' keys: only their hashes exist here, and only in the configuration. */
@Injectable()
export class AdminKeys {
  #read: { readonly from: readonly AdminKeyConfig[]; readonly hashes: ReadonlyMap<AdminKeyConfig, Buffer> } = {
    from: [],
    hashes: new Map(),
  };

  constructor(private readonly config: Config) {}

  /** The entry of the configuration in force that this key belongs to. Every entry is compared, whichever matches. */
  find(key: string): AdminKeyConfig | undefined {
    const shown = createHash('sha256').update(key).digest();
    let found: AdminKeyConfig | undefined;
    for (const [entry, hash] of this.hashes()) if (timingSafeEqual(hash, shown)) found = entry;
    return found;
  }

  /** A reload replaces the list, so a list seen before needs no second reading. */
  private hashes(): ReadonlyMap<AdminKeyConfig, Buffer> {
    const { adminKeys } = this.config.current;
    if (this.#read.from !== adminKeys)
      this.#read = {
        from: adminKeys,
        hashes: new Map(adminKeys.map((entry) => [entry, Buffer.from(entry.hash.slice('sha256:'.length), 'hex')])),
      };
    return this.#read.hashes;
  }
}
