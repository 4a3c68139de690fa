/**
 * The exported files and the table contradict each other, or one of them itself. Nothing is written over: somebody has to
 * look at it.
 */
export class TrailFault extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'TrailFault';
  }
}
