export class ClearedCache {
  /**
   * How many answers were removed.
   * @example 42
   */
  removed!: number;
}
