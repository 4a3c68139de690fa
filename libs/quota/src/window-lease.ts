/**
 * This process's headroom in one budget window. `total` is what the database has leased to us and we have not yet seen
 * settled there; `free` is the part of it that no hold has taken. The database never counts less than `total`.
 *
 * Moves: reserve takes from `free`; settle and release give the rest back to it; a grant raises both; giving back lowers
 * both; a row that has arrived in the database lowers `total`.
 */
export class WindowLease {
  free = 0n;
  total = 0n;

  constructor(
    readonly windowId: bigint,
    readonly startsAtMs: number,
    readonly endsAtMs: number,
  ) {}
}
