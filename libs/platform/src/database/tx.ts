import type { EntityManager, ObjectLiteral, QueryRunner, Repository } from 'typeorm';
import type { Principal } from '../access/principal';

/** What other gateway processes are told after a commit; see `ChangeFeed`. */
export interface Change {
  /** Which cache it concerns: `tenant`, `token`, `budget`, `catalogue`, … */
  readonly kind: string;
  readonly id: string;
}

const door = Symbol('only Database opens transactions');

/** An open transaction, scoped to its principal. Only `Database` makes one, and only for the length of a callback. */
export class Tx {
  readonly #runner: QueryRunner;
  readonly #changes: Change[] = [];

  constructor(
    key: typeof door,
    runner: QueryRunner,
    readonly principal: Principal,
  ) {
    if (key !== door) throw new TypeError('a Tx comes from Database.tenant or Database.platform');
    this.#runner = runner;
  }

  /** Runs SQL and returns its rows. `bigint` columns arrive as `bigint`, timestamps as `Date`. */
  async query<Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    const result = await this.#runner.query(sql, [...parameters], true);
    return (result.records ?? []) as Row[];
  }

  repository<Entity extends ObjectLiteral>(entity: new () => Entity): Repository<Entity> {
    return this.manager.getRepository(entity);
  }

  get manager(): EntityManager {
    return this.#runner.manager;
  }

  /** Tells every gateway process after the commit, this one included. Nothing is told if the transaction rolls back. */
  announce(kind: string, id: string): void {
    this.#changes.push({ kind, id });
  }

  get announced(): readonly Change[] {
    return this.#changes;
  }
}

export const openTx = (runner: QueryRunner, principal: Principal): Tx => new Tx(door, runner, principal);
