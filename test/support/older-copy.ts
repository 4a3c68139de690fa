import type { TestDatabase } from './database';
import { asSuperuser } from './database';

/** A database as it was at some moment, and what becomes of one that is restored from that while gateways run. */
export class OlderCopy {
  readonly #copy: string;
  readonly #newer: string;

  private constructor(private readonly name: string) {
    this.#copy = `${name}_copy`;
    this.#newer = `${name}_newer`;
  }

  /** Cuts all connections to the database for as long as it takes. */
  static async of({ superuserUrl }: Pick<TestDatabase, 'superuserUrl'>): Promise<OlderCopy> {
    const copy = new OlderCopy(new URL(superuserUrl).pathname.slice(1));
    await copy.alone(() => asSuperuser(`CREATE DATABASE ${copy.#copy} OWNER openclawmu_owner TEMPLATE ${copy.name}`));
    await asSuperuser(`ALTER DATABASE ${copy.name} ALLOW_CONNECTIONS true`);
    return copy;
  }

  /** From here on whoever connects finds the copy. */
  async restore(): Promise<void> {
    await this.alone(() => asSuperuser(`ALTER DATABASE ${this.name} RENAME TO ${this.#newer}`));
    await asSuperuser(`ALTER DATABASE ${this.#copy} RENAME TO ${this.name}`);
  }

  /** The database itself is its owner's to drop. */
  async drop(): Promise<void> {
    for (const name of [this.#copy, this.#newer]) await asSuperuser(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  }

  private async alone(work: () => Promise<void>): Promise<void> {
    await asSuperuser(`ALTER DATABASE ${this.name} ALLOW_CONNECTIONS false`);
    await asSuperuser(`SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '${this.name}'`);
    await work();
  }
}
