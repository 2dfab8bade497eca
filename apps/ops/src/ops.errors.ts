/** A command cannot go on for a reason that its user can mend: one line, no stack. */
export class OpsError extends Error {
  constructor(
    message: string,
    readonly exitCode = 1,
  ) {
    super(message);
  }
}
