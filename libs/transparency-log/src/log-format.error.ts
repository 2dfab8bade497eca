/** Bytes or text that are not what the format in question says. The message holds no content of an entry. */
export class LogFormatError extends Error {}
