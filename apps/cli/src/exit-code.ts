/** What the process ends with; scripts rely on the numbers. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  unauthorised: 4,
  notFound: 5,
  conflict: 6,
  checkFailed: 7,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_CODES_HELP = `
Exit codes:
  0  done
  1  failed, or refused by the gateway for another reason than those below
  2  wrong usage
  3  the gateway cannot be reached
  4  no key, a wrong one, or one that lacks the permission
  5  there is no such thing
  6  it exists already, or its state does not allow that
  7  the check found something: audit verify, billing verify, billing reconcile, budgets check, ledger check, doctor

Environment:
  OPENCLAWMU_URL        the gateway, http://127.0.0.1:18789 if not set
  OPENCLAWMU_ADMIN_KEY  your admin key (ak_...)
  OPENCLAWMU_CONFIG     configuration file for doctor, openclawmu.yaml if not set`;

/** Ends the command with a message for people and a code for scripts. */
export class CliError extends Error {
  /** @param problem the gateway's own description, printed instead with --json */
  constructor(
    readonly exitCode: ExitCode,
    message: string,
    readonly problem?: unknown,
  ) {
    super(message);
    this.name = 'CliError';
  }
}

const BY_STATUS: Readonly<Record<number, ExitCode>> = {
  401: EXIT.unauthorised,
  403: EXIT.unauthorised,
  404: EXIT.notFound,
  409: EXIT.conflict,
};

export const exitCodeOf = (status: number): ExitCode => BY_STATUS[status] ?? EXIT.failed;
