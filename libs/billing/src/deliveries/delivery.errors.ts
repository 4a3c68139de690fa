/** What was delivered can no longer be made: rows of the ledger are gone or altered. The files stay as they are. */
export class DeliveryFault extends Error {
  override readonly name = 'DeliveryFault';
}

/** Another process carries the run out now. */
export class ClaimLost extends Error {
  override readonly name = 'ClaimLost';
}
