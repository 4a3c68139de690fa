import { facts, table, type Cell, type Column } from './table';

export type Sink = NodeJS.WritableStream;

/** Where results and remarks go: results to standard output, everything else to standard error. */
export class Output {
  /** Set from `--json` before a command runs. */
  json = false;
  /** Set from `--quiet`: no remarks. */
  quiet = false;

  constructor(
    readonly stdout: Sink,
    private readonly stderr: Sink,
  ) {}

  rows<Row>(rows: readonly Row[], columns: readonly Column<Row>[], none: string): void {
    if (this.json) this.data(rows);
    else if (rows.length === 0) this.remark(none);
    else this.stdout.write(table(columns, rows));
  }

  facts(value: unknown, pairs: readonly (readonly [string, Cell])[]): void {
    if (this.json) this.data(value);
    else this.stdout.write(facts(pairs));
  }

  data(value: unknown): void {
    this.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  }

  /** The result of a change: the thing itself for scripts, a sentence for people. */
  done(value: unknown, sentence: string): void {
    if (this.json) this.data(value);
    else this.remark(sentence);
  }

  remark(text: string): void {
    if (!this.quiet) this.stderr.write(`${text}\n`);
  }

  error(text: string): void {
    this.stderr.write(`${text}\n`);
  }
}
