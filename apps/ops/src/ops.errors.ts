/** A command cannot go on for a reason that its user can mend: one line, exit 1, no stack. */
export class OpsError extends Error {}
